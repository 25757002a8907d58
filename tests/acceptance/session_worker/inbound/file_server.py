"""Serves the files of a number's folder, as the gateway does under its links."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """Serve a folder on a port of its own; gives the address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = folder / head.split(" ")[1].lstrip("/")
        is_there = await asyncio.to_thread(path.is_file)
        content = await asyncio.to_thread(path.read_bytes) if is_there else b""
        status = "200 OK" if is_there else "404 Not Found"
        length = f"Content-Length: {len(content)}\r\nConnection: close"
        writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server:
        yield f"http://{host}:{port}"
