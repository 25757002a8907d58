"""A stretch of network that a test can cut, or let fall silent."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Self

CHUNK = 64 * 1024  # bytes


class Relay:
    """Passes connections on to a server, as long as the network is there."""

    def __init__(self, host: str, port: int) -> None:
        """Lead to a port, or, where the host is the path of a folder, to a server's socket in it."""
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._place: socket.socket | None = None
        """The port while nobody listens at it, so that it is given to nobody else."""
        self._port = 0
        self._asks, self._answers = asyncio.Event(), asyncio.Event()
        self._open_both_ways()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0

    @property
    def port(self) -> int:
        return self._port

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        if self._place is not None:
            self._place.close()

    def silence(self, *, only_answers: bool = False) -> None:
        """Swallow everything, or all that comes back: connections stay or come about."""
        self._answers.clear()
        if not only_answers:
            self._asks.clear()

    async def cut(self) -> None:
        """End all connections, refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._place = _occupy(self._port)
        for writer in self._writers:
            writer.transport.abort()
        self._open_both_ways()  # whoever is held back finds its connection ended
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def mend(self) -> None:
        """Let everything through, what was held back included."""
        self._open_both_ways()
        if self._server is None:
            place, self._place = self._place or _occupy(0), None
            self._port = place.getsockname()[1]
            self._server = await asyncio.start_server(self._accept, sock=place)

    def _open_both_ways(self) -> None:
        self._asks.set()
        self._answers.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it came at the moment of the cut
            writer.transport.abort()
            return
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            await self._asks.wait()
            with suppress(OSError):
                await self._join(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target
        if host.startswith("/"):
            there, back = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there, back = await asyncio.open_connection(host, port)
        self._writers.add(back)
        ways = [
            asyncio.create_task(self._pass_on(reader, back, self._asks)),
            asyncio.create_task(self._pass_on(there, writer, self._answers)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.discard(back)
            back.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: asyncio.Event
    ) -> None:
        while data := await reader.read(CHUNK):
            await way.wait()
            writer.write(data)
            await writer.drain()


def _occupy(port: int) -> socket.socket:
    """Hold a port, at which connections are refused until somebody listens."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place
