"""The one TLS context of all workers: 7 MB each if every process made its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


@cache
def tls_context() -> ssl.SSLContext:
    """Trust the certificates that httpx brings; made in the forkserver, shared by its children."""
    return httpx.create_ssl_context(trust_env=False)
