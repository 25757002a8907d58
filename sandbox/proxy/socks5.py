"""A SOCKS5 proxy (RFC 1928), with or without a password (RFC 1929)."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sandbox.proxy.server import ClientRefused, KeyedProxy, OnwardConnection

if TYPE_CHECKING:
    from sandbox.proxy.server import ProxiedConnection, Stream

VERSION, SUBNEGOTIATION = 5, 1
FREE, BY_PASSWORD, NONE_FITS = 0, 2, 0xFF
CONNECT = 1
IPV4, NAME, IPV6 = 1, 3, 4
GRANTED, FAILED, REFUSED, COMMAND_UNKNOWN, KIND_UNKNOWN = 0, 1, 5, 7, 8
_LENGTHS = {IPV4: 4, IPV6: 16}
_FAMILIES = {IPV4: socket.AF_INET, IPV6: socket.AF_INET6}


class Socks5(KeyedProxy):
    """Connects to any address that a client asks for."""

    kind = "socks5"

    async def lead(self, near: Stream, connection: ProxiedConnection) -> OnwardConnection:
        await self._authenticate(near)
        version, command, _, kind = await near.reader.readexactly(4)
        if version != VERSION:
            raise ClientRefused("speaks no SOCKS5")
        host = await _read_host(near, kind)
        port = int.from_bytes(await near.reader.readexactly(2), "big")
        if command != CONNECT:
            await _answer(near, COMMAND_UNKNOWN)
            raise ClientRefused(f"command {command}")
        try:
            far = await self.connect(connection, host, port)
        except OSError as exc:
            await _answer(near, REFUSED if isinstance(exc, ConnectionRefusedError) else FAILED)
            raise
        await _answer(near, GRANTED, far.writer.get_extra_info("sockname")[:2])
        return OnwardConnection(far)

    async def _authenticate(self, near: Stream) -> None:
        version, count = await near.reader.readexactly(2)
        if version != VERSION:
            raise ClientRefused("speaks no SOCKS5")
        wanted = FREE if self.username is None else BY_PASSWORD
        offered = await near.reader.readexactly(count)
        near.writer.write(bytes([VERSION, wanted if wanted in offered else NONE_FITS]))
        await near.writer.drain()
        if wanted not in offered:
            raise ClientRefused("offers no authentication method that fits")
        if wanted == BY_PASSWORD:
            await self._check_password(near)

    async def _check_password(self, near: Stream) -> None:
        version, length = await near.reader.readexactly(2)
        username = await near.reader.readexactly(length)
        (length,) = await near.reader.readexactly(1)
        password = await near.reader.readexactly(length)
        given = (username.decode(errors="replace"), password.decode(errors="replace"))
        is_right = version == SUBNEGOTIATION and given == (self.username, self.password)
        near.writer.write(bytes([SUBNEGOTIATION, not is_right]))
        await near.writer.drain()
        if not is_right:
            raise ClientRefused("wrong user name or password")


async def _read_host(near: Stream, kind: int) -> str:
    if kind == NAME:
        (length,) = await near.reader.readexactly(1)
        return (await near.reader.readexactly(length)).decode("ascii", "replace")
    if kind not in _LENGTHS:
        await _answer(near, KIND_UNKNOWN)
        raise ClientRefused(f"kind of address {kind}")
    return socket.inet_ntop(_FAMILIES[kind], await near.reader.readexactly(_LENGTHS[kind]))


async def _answer(near: Stream, reply: int, bound: tuple[str, int] = ("0.0.0.0", 0)) -> None:  # noqa: S104 - "none" in SOCKS5
    address = ip_address(bound[0])
    kind = IPV4 if address.version == 4 else IPV6
    near.writer.write(
        bytes([VERSION, reply, 0, kind]) + address.packed + bound[1].to_bytes(2, "big")
    )
    async with asyncio.timeout(1):
        await near.writer.drain()
