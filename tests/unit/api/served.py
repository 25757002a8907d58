"""The application under hypercorn in the test's own event loop, for what only a real socket shows."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from hypercorn.asyncio import serve
from hypercorn.config import Config

from api import create_app
from api.messages.files import Downloads
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from api.settings import Settings
    from supervisor.gateway import Gateway

HOST = b"Host: gateway.example\r\n"


class Served:
    """Where the application listens: a path, or a port of this machine."""

    def __init__(self, place: Path | int) -> None:
        self._place = place
        self.port = place if isinstance(place, int) else 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._place, int):
            return await asyncio.open_connection("127.0.0.1", self._place)
        return await asyncio.open_unix_connection(self._place)

    async def exchange(self, request: bytes) -> bytes:
        """Send bytes, return everything until the server hangs up."""
        reader, writer = await self.connect()
        writer.write(request)
        answer = await read_all(reader)
        writer.close()
        return answer

    async def get(self, path: str, *headers: bytes, method: str = "GET") -> bytes:
        lines = b"".join(line + b"\r\n" for line in headers)
        start = f"{method} {path} HTTP/1.1\r\n".encode()
        return await self.exchange(start + HOST + b"Connection: close\r\n" + lines + b"\r\n")

    async def is_healthy(self) -> bool:
        return status_of(await self.get("/healthz")) == 200


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, which is a reset if the server has not read all that it was sent."""
    answer = b""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(PATIENCE):
            while data := await reader.read(65536):
                answer += data
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(maxsplit=2)[1]) if answer else 0


def headers_of(answer: bytes) -> dict[str, str]:
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@asynccontextmanager
async def serving(  # noqa: PLR0913 - one for each limit
    settings: Settings,
    gateway: Gateway,
    *,
    stalled_for: float = PATIENCE,
    downloads: Downloads | None = None,
    headers_within: float = PATIENCE,
    body_within: float = PATIENCE,
    answer_within: float = PATIENCE,
    unix: Path | None = None,
) -> AsyncIterator[Served]:
    """Serve with the configuration of the Procfile, which has none but these limits."""
    config, stop = Config(), asyncio.Event()
    if unix is None:
        listening = socket.create_server(("127.0.0.1", 0))
        served = Served(listening.getsockname()[1])
        config.bind = [f"fd://{listening.detach()}"]
    else:
        served = Served(unix)
        config.bind = [f"unix:{unix}"]
    config.errorlog = logging.getLogger("tests.hypercorn")
    config.keep_alive_timeout = headers_within
    app = create_app(settings, gateway)
    app.config.update(BODY_TIMEOUT=body_within, RESPONSE_TIMEOUT=answer_within)
    app.config.update(STALL_TIMEOUT=stalled_for, DOWNLOADS=downloads or Downloads())
    running = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    if unix is not None:
        await eventually(unix.exists)
    yield served
    stop.set()
    await running
