"""A proxy's port, which accepts connections, speaks the proxy's protocol and relays bytes."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
CHUNK = 64 * 1024  # bytes
HANDSHAKE = 30.0  # seconds
ENDED: Final = b""

logger = logging.getLogger(__name__)


class Mode(StrEnum):
    """The ways in which a proxy misbehaves."""

    REFUSE = "refuse"
    HANG = "hang"
    CUT = "cut"


class Stream(NamedTuple):
    """The two ends of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def unchanged(data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class OnwardConnection:
    """An onward connection, with the conversion of bytes in each direction."""

    far: Stream
    onward: Callable[[bytes], bytes] = unchanged
    back: Callable[[bytes], bytes] = unchanged


@dataclass(eq=False, slots=True)
class ProxiedConnection:
    """The state of one client's connection through the proxy."""

    target: str | None = None
    is_open: bool = True
    streams: list[Stream] = field(default_factory=list)

    def cut(self) -> None:
        for stream in self.streams:
            stream.writer.transport.abort()


class ClientRefused(Exception):
    """The client was refused, with or without an answer."""


class ProxyServer(ABC):
    """Listens while entered, and remembers which addresses clients asked for."""

    kind: str
    passes_ends_on = True

    def __init__(self) -> None:
        self.connections: list[ProxiedConnection] = []
        self.mode: Mode | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that a client is configured with."""

    @abstractmethod
    async def lead(self, near: Stream, connection: ProxiedConnection) -> OnwardConnection:
        """Speak the protocol with a client until it is connected, or raise ClientRefused."""

    async def start(self) -> None:
        """Listen on the same port as last time, if there was one."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def cut(self) -> None:
        for connection in self.connections:
            connection.cut()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Stream(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, near: Stream) -> None:
        connection = ProxiedConnection(streams=[near])
        self.connections.append(connection)
        try:
            if self.mode is Mode.HANG:
                await asyncio.Event().wait()
            if self.mode is not Mode.CUT:
                async with asyncio.timeout(HANDSHAKE):
                    onward_connection = await self.lead(near, connection)
                await self._relay(near, onward_connection)
        except (ClientRefused, OSError, EOFError, asyncio.LimitOverrunError) as exc:
            logger.info("%s: %s", self.kind, exc)
        finally:
            connection.is_open = False
            for stream in connection.streams:
                stream.writer.close()

    async def _relay(self, near: Stream, onward_connection: OnwardConnection) -> None:
        """Relay bytes in both directions until both ends are finished; the end of one half is passed on."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(near, onward_connection.far, onward_connection.onward))
            both.create_task(self._carry(onward_connection.far, near, onward_connection.back))

    async def _carry(self, source: Stream, sink: Stream, change: Callable[[bytes], bytes]) -> None:
        try:
            while (data := await source.reader.read(CHUNK)) != ENDED:
                sink.writer.write(change(data))
                await sink.writer.drain()
            if self.passes_ends_on:
                with suppress(OSError):
                    sink.writer.write_eof()
        except OSError:
            sink.writer.transport.abort()

    async def connect(self, connection: ProxiedConnection, host: str, port: int) -> Stream:
        """Open the onward connection; raises OSError if that fails."""
        connection.target = f"{host}:{port}"
        if self.mode is Mode.REFUSE:
            raise ConnectionRefusedError(connection.target)
        far = Stream(*await asyncio.open_connection(host, port))
        connection.streams.append(far)
        return far


class KeyedProxy(ProxyServer):
    """A proxy that may ask for a user name and a password."""

    def __init__(self, username: str | None = None, password: str | None = None) -> None:
        super().__init__()
        self.username = username
        self.password = password

    @property
    def url(self) -> str:
        key = f"{quote(self.username)}:{quote(self.password or '')}@" if self.username else ""
        return f"{self.kind}://{key}{HOST}:{self.port}"
