"""A number's proxy as callers of the gateway name it."""

from __future__ import annotations

from session_worker.protocol.proxy import Proxy, parse_proxy

__all__ = ["Proxy", "parse_proxy"]
