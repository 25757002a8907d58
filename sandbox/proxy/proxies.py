"""The proxies that a control call starts, one of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.proxy.http_connect import HttpConnect
from sandbox.proxy.mtproxy import Mtproxy
from sandbox.proxy.server import KeyedProxy
from sandbox.proxy.socks5 import Socks5

if TYPE_CHECKING:
    from sandbox.proxy.server import Mode, ProxyServer
    from sandbox.telegram.data_centre import DataCentre


class Proxies:
    """Proxies that are stopped until a call starts them, and then keep their ports and the secret."""

    def __init__(self, data_centre: DataCentre) -> None:
        self._data_centre = data_centre
        self._running: dict[str, ProxyServer] = {}

    async def start(
        self, username: str | None, password: str | None, *, padded: bool
    ) -> dict[str, str]:
        """Start the proxies that are not running, require this password from now on, and return the addresses."""
        if not self._running:
            place = (self._data_centre.host, self._data_centre.port)
            found: tuple[ProxyServer, ...] = (Socks5(), HttpConnect(), Mtproxy(place))
            for proxy in found:
                await proxy.start()
            self._running = {proxy.kind: proxy for proxy in found}
        for proxy in self._running.values():
            if isinstance(proxy, KeyedProxy):
                proxy.username, proxy.password = username, password
            elif isinstance(proxy, Mtproxy):
                proxy.is_padded = padded
        return {kind: proxy.url for kind, proxy in self._running.items()}

    async def stop(self) -> None:
        running, self._running = self._running, {}
        for proxy in running.values():
            await proxy.stop()

    def afflict(self, mode: Mode | None) -> None:
        """Disturb new connections in this way, or in none; open ones are left to `cut`."""
        for proxy in self._running.values():
            proxy.mode = mode

    def cut(self) -> None:
        for proxy in self._running.values():
            proxy.cut()

    def connections(self) -> list[dict[str, object]]:
        return [
            {"kind": proxy.kind, "to": connection.target, "open": connection.is_open}
            for proxy in self._running.values()
            for connection in proxy.connections
        ]
