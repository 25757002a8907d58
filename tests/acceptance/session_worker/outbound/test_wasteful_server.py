"""Servers that send next to nothing in a costly way, so that their reader has no time for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from session_worker.network.guarded_transport import ALLOWANCE
from session_worker.outbound.attachments import Fetcher, LinkUnreachable
from tests.fakes.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

GOOD = b"HTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(size: int) -> bytes:
    return b"%x\r\n%s\r\n" % (size, b"x" * size)


def many(piece: bytes) -> bytes:
    return piece * (8 * ALLOWANCE // len(piece))


WASTEFUL = {
    "early hints": many(b"HTTP/1.1 103 X\r\nLink: </a>\r\n\r\n") + GOOD,
    "continue": many(b"HTTP/1.1 100 X\r\n\r\n") + GOOD,
    "chunks of a byte": CHUNKED + many(chunk(1)) + END,
}


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer() as server:
        yield server


@pytest.fixture
def fetcher(server: FileServer) -> Fetcher:
    return Fetcher(server.url, httpx.create_ssl_context())


@pytest.mark.parametrize("answer", WASTEFUL.values(), ids=WASTEFUL)
async def test_wasteful_answer_is_cut_off(
    fetcher: Fetcher, server: FileServer, tmp_path: Path, answer: bytes
) -> None:
    """An answer that is nearly all wrapping ends the connection; the file is tried again later."""
    link = server.offer("file", Answer(answer, is_raw=True))

    with pytest.raises(LinkUnreachable, match="too much beside the body"):
        await fetcher.fetch(link, tmp_path / "0")


@pytest.mark.parametrize("size", [64, 4096, 1 << 20])
async def test_ordinary_chunks_are_taken(
    fetcher: Fetcher, server: FileServer, tmp_path: Path, size: int
) -> None:
    """A file in chunks of an ordinary size arrives whole, however long it is."""
    body = CHUNKED + chunk(size) * ((1 << 20) // size) + END
    link = server.offer("file", Answer(body, is_raw=True))

    await fetcher.fetch(link, tmp_path / "0")

    assert (tmp_path / "0").stat().st_size == 1 << 20
