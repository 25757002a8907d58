"""Clients of HTTP that are none the worse for a slow machine."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.waiting import PATIENCE

TLS = httpx.create_ssl_context()  # made once: it takes more processor than all the rest of a call
UNKEPT = httpx.Limits(max_keepalive_connections=0)


def caller(url: str = "", **more: Any) -> httpx.AsyncClient:
    """Make a client that keeps no connection: the other side ends an idle one just when it is used again."""
    return httpx.AsyncClient(
        base_url=url, timeout=PATIENCE, trust_env=False, verify=TLS, limits=UNKEPT, **more
    )
