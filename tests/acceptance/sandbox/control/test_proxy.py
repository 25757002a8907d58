"""The sandbox's proxies, used by clients that know nothing of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from telethon import TelegramClient
from telethon.network import connection as transports
from telethon.sessions import StringSession

from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.sandbox.control.conftest import Control

PHONE = "380501110009"
TRANSPORTS = [
    transports.ConnectionTcpMTProxyAbridged,
    transports.ConnectionTcpMTProxyIntermediate,
    transports.ConnectionTcpMTProxyRandomizedIntermediate,
]


# It speaks of SOCKS; what MTProxy needs it has.
@pytest.mark.filterwarnings("ignore:proxy argument will be ignored")
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_telethon_comes_through_mtproxy(control: Control, transport: type[Any]) -> None:
    """Unmodified Telethon reaches the data centre through the MTProxy, by each of its transports."""
    await control.ask("POST", "/telegram/accounts", 201, phone=PHONE, first_name="Olena")
    made = await control.ask("POST", "/telegram/sessions", 201, phone=PHONE)
    padded = transport is TRANSPORTS[-1]
    proxy = urlsplit((await control.ask("PUT", "/proxy", padded=padded))["mtproxy"])
    client = TelegramClient(
        StringSession(made["string_session"]),
        *(1, "x"),
        connection=transport,
        proxy=(proxy.hostname, proxy.port, proxy.username),
        timeout=PATIENCE,
    )

    await client.connect()
    me = await client.get_me()
    through = await control.ask("GET", "/proxy/connections")
    await client.disconnect()

    assert me.phone == PHONE
    assert (through["open"], through["connections"][0]["kind"]) == (1, "mtproxy")


async def test_whoever_lacks_the_secret_hears_nothing(control: Control) -> None:
    """The MTProxy swallows what a stranger sends, as the real one does."""
    proxy = urlsplit((await control.ask("PUT", "/proxy"))["mtproxy"])
    reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)

    writer.write(bytes(range(1, 65)) * 4)
    writer.write_eof()

    assert await reader.read() == b""
    writer.close()


async def test_socks5_speaks_by_the_book(control: Control) -> None:
    """Greeting, password, request, reply, each in the bytes of RFC 1928 and RFC 1929."""
    addresses = await control.ask("PUT", "/proxy", username="olena", password="word")
    proxy, target = urlsplit(addresses["socks5"]), control.http.base_url
    reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)
    said = []
    for sent, length in (
        (b"\x05\x02\x00\x02", 2),
        (b"\x01\x05olena\x04word", 2),
        (b"\x05\x01\x00\x01\x7f\x00\x00\x01" + (target.port or 0).to_bytes(2, "big"), 10),
    ):
        writer.write(sent)
        said.append(await reader.readexactly(length))

    writer.write(b"GET /proxy/connections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert said[0] == b"\x05\x02"
    assert said[1] == b"\x01\x00"
    assert said[2][:4] == b"\x05\x00\x00\x01"
    assert b'"open":1' in (await reader.read()).replace(b" ", b"")
    writer.close()


@pytest.mark.parametrize(
    ("talk", "answers"),
    [
        ([b"\x05\x01\x00"], [b"\x05\xff"]),
        ([b"\x05\x01\x02", b"\x01\x05olena\x05wrong"], [b"\x05\x02", b"\x01\x01"]),
    ],
)
async def test_socks5_lets_nobody_in_without_the_password(
    control: Control, talk: list[bytes], answers: list[bytes]
) -> None:
    """Without one, or with a wrong one, the connection ends."""
    addresses = await control.ask("PUT", "/proxy", username="olena", password="word")
    proxy = urlsplit(addresses["socks5"])
    reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)

    said = []
    for sent in talk:
        writer.write(sent)
        said.append(await reader.readexactly(2))

    assert said == answers
    assert await reader.read() == b""
    writer.close()


async def test_started_proxies_stay(control: Control) -> None:
    """A second PUT changes nothing, DELETE ends them."""
    first = await control.ask("PUT", "/proxy")
    second = await control.ask("PUT", "/proxy")
    await control.ask("DELETE", "/proxy")
    proxy = urlsplit(first["socks5"])

    assert first == second
    assert {"socks5", "mtproxy"} <= set(first)
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system says
        await asyncio.open_connection(proxy.hostname, proxy.port)
