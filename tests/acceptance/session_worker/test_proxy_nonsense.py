"""Proxies that say what no proxy should."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.contract import TroubleCode
from session_worker.protocol.proxy import parse_proxy
from session_worker.telegram.errors import ProxyFailed
from session_worker.telegram.proxy import reach

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TELEGRAM = ("149.154.167.51", 443)
LIMIT = 30.0  # seconds


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """Answer whoever comes with these bytes, then hang up; give the port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # who has heard enough hangs up rudely
            await reader.read(1)
            writer.write(answer)
            writer.write_eof()
            await reader.read()
        writer.close()
        left.set()

    left = asyncio.Event()
    server = await asyncio.start_server(take, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]
        await left.wait()


async def failure_of(kind: str, answer: bytes) -> TroubleCode:
    async with answering(answer) as port:
        proxy = parse_proxy(f"{kind}://127.0.0.1:{port}", may_be_private=True)
        with pytest.raises(ProxyFailed) as failure:
            await reach(proxy, TELEGRAM, LIMIT)
    return failure.value.trouble.code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", TroubleCode.PROXY_REFUSED),
        (b"\x05", TroubleCode.PROXY_REFUSED),
        (b"\x04\x00", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"\x05\xff", TroubleCode.PROXY_UNAUTHORIZED),
        (b"\x05\x02", TroubleCode.PROXY_UNAUTHORIZED),
        (b"\x05\x09", TroubleCode.PROXY_UNAUTHORIZED),
        (b"\x05\x00\x05\x00\x00", TroubleCode.PROXY_REFUSED),
        (b"\x05\x00\x05\x63\x00\x01", TroubleCode.PROXY_REFUSED),
        (b"\x05\x00\x05\x02\x00\x01" + bytes(6), TroubleCode.PROXY_REFUSED),
        (b"\x05\x00\x05\x00\x00\x03\xffname", TroubleCode.PROXY_REFUSED),
        (b"\x05\x00\x01\x00\x00\x01" + bytes(6), TroubleCode.PROXY_REFUSED),
    ],
)
async def test_nonsense_for_socks5(answer: bytes, code: TroubleCode) -> None:
    """Whatever comes in place of SOCKS5, the proxy is named as what fails."""
    assert await failure_of("socks5", answer) is code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 200 OK\r\n", TroubleCode.PROXY_REFUSED),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 OK 200\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 200 " + bytes(200_000), TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.1 503 Busy\r\n\r\n", TroubleCode.PROXY_REFUSED),
        (b"HTTP/1.0 407 No\r\n\r\n", TroubleCode.PROXY_UNAUTHORIZED),
    ],
)
async def test_nonsense_for_http(answer: bytes, code: TroubleCode) -> None:
    """Whatever comes in place of an answer to CONNECT, the proxy is named as what fails."""
    assert await failure_of("http", answer) is code


async def test_name_that_is_nowhere() -> None:
    """A proxy whose name leads nowhere can't be reached."""
    proxy = parse_proxy("socks5://nowhere.invalid:1080", may_be_private=True)

    with pytest.raises(ProxyFailed) as failure:
        await reach(proxy, TELEGRAM, LIMIT)

    assert failure.value.trouble.code is TroubleCode.PROXY_UNREACHABLE
