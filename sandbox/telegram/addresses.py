"""The addresses at which clients reach the data centres, as help.getConfig names them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Callable

HOME_DC = 2
OTHER_DC = 4


@dataclass(frozen=True, slots=True)
class Address:
    """One port of a data centre; a media-only port serves nothing but files."""

    dc_id: int
    media_only: bool = False


class Addresses:
    """The ports of the account's own data centre, then those of the other one."""

    def __init__(self, home: int) -> None:
        centres = (home, OTHER_DC if home != OTHER_DC else HOME_DC)
        self._all = [Address(dc_id, media) for dc_id in centres for media in (False, True)]
        self._servers: dict[Address, asyncio.Server] = {}
        self.dc_ids = frozenset(centres)

    async def open(
        self, accept: Callable[[Address], asyncio.Protocol], host: str, port: int
    ) -> tuple[str, int]:
        """Listen at all addresses and return the first, which is the only one with a chosen port."""
        for address in self._all:
            await self._listen(accept, address, host, 0 if self._servers else port)
        return self.place_of(self._all[0])

    async def _listen(
        self, accept: Callable[[Address], asyncio.Protocol], address: Address, host: str, port: int
    ) -> None:
        loop = asyncio.get_running_loop()
        self._servers[address] = await loop.create_server(lambda: accept(address), host, port)

    def refuse_new(self) -> None:
        for server in self._servers.values():
            server.close()

    async def close(self) -> None:
        """Close the ports once no connection is left."""
        for server in self._servers.values():
            server.close()
            await server.wait_closed()
        self._servers.clear()

    @property
    def is_open(self) -> bool:
        return bool(self._servers)

    def place_of(self, address: Address) -> tuple[str, int]:
        host, port = self._servers[address].sockets[0].getsockname()[:2]
        return host, port

    def options(self) -> list[types.DcOption]:
        """List the addresses as clients expect them: the general address of each centre before the media-only one."""
        return [
            types.DcOption(each.dc_id, *self.place_of(each), media_only=each.media_only or None)
            for each in self._servers
        ]
