"""All parts of the sandbox, and the HTTP server that controls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from sandbox.control.app import create_app
from sandbox.control.http_server import HttpServer
from sandbox.planfix.planfix import Planfix
from sandbox.proxy.proxies import Proxies
from sandbox.teamflame.teamflame import TeamFlame
from sandbox.telegram.data_centre import DataCentre

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.protocol.server_key import ServerKey


class Sandbox:
    """Serves on two loopback ports while entered; port 0 means any free port."""

    def __init__(
        self,
        telegram_port: int = 0,
        http_port: int = 0,
        announce_code: Callable[[str], None] | None = None,
        server_key: ServerKey | None = None,
    ) -> None:
        self._telegram_port = telegram_port
        self._http = HttpServer(http_port)
        self.data_centre = DataCentre(announce_code, server_key=server_key)
        self.planfix = Planfix(self._http.url)
        self.proxies = Proxies(self.data_centre)
        self.teamflame = TeamFlame(self._http.url)

    @property
    def http_url(self) -> str:
        return self._http.url

    async def __aenter__(self) -> Self:
        try:
            await self.data_centre.start(port=self._telegram_port)
            app = create_app(self.planfix, self.data_centre, self.proxies, self.teamflame)
            await self._http.start(app)
        except OSError:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop serving; a running call to Planfix ends without an answer."""
        await self._http.stop()
        await self.planfix.close()
        await self.proxies.stop()
        await self.data_centre.stop()
