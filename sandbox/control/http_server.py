"""The sandbox's HTTP port."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from sandbox.control.tcp_connection import Connection

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"
GRACE = 1.0  # seconds that requests under way get at the end


class HttpServer:
    """Serves an app with hypercorn's protocol, one connection at a time in our hands.

    The port is taken at once, so that its number is known before there is an app.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server((HOST, port), backlog=1024)
        self._context = WorkerContext(None)
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.Server | None = None
        self._config = Config()
        self._config.errorlog = logger

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, app: ASGIFramework) -> None:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = Connection(app, writer)
            task = asyncio.create_task(self._serve(connection, reader, writer))
            self._connections[task] = connection
            task.add_done_callback(self._forget)

        self._server = await asyncio.start_server(accept, sock=self._listener)

    async def stop(self) -> None:
        """Refuse new connections, let requests under way end, then cut what is left."""
        if self._server is not None:
            self._server.close()
        self._listener.close()
        await self._context.terminated.set()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=GRACE)
            for task in late:
                self._connections[task].cut()
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        await TCPServer(connection, loop, self._config, self._context, {}, reader, writer)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.error("a connection failed", exc_info=failure)
