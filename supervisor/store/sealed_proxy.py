"""Seals a number's proxy for its row, where only the proxy's address is readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_worker.protocol.proxy import Proxy
from supervisor.encryption.vault import Cell

if TYPE_CHECKING:
    from supervisor.encryption.vault import DataKey


def proxy_values(number: str, proxy: Proxy | None, key: DataKey) -> dict[str, Any]:
    if proxy is None:
        return {"proxy": None, "proxy_place": None}
    sealed = key.seal(_cell(number), proxy.model_dump_json().encode())
    return {"proxy": sealed, "proxy_place": proxy.place}


def open_proxy(row: Any, key: DataKey) -> Proxy | None:
    if row.proxy is None:
        return None
    return Proxy.model_validate_json(key.open(_cell(row.digits), row.proxy))


def _cell(number: str) -> Cell:
    return Cell("number", number, "proxy")
