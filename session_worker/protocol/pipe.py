"""Length-prefixed JSON frames between the supervisor and a worker; nothing on the way is pickled."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

if TYPE_CHECKING:
    import socket

UNREAD = struct.Struct("i")
HEADER = struct.Struct("!I")
MAX_FRAME = 4 * 1024 * 1024  # bytes; an assignment with 5000 entities stays below 3 MiB
MAX_EVENT = 1536 * 1024  # bytes; 500 entities whose names are nothing but escapes take 1.3 MB
MAX_UNSENT = 4 * MAX_FRAME  # bytes that may wait for a peer that does not read
MOST_ERRORS = 100  # errors that are looked at
LONGEST_COMPLAINT = 300  # characters
# Errors of a message that would be valid if it were smaller.
_BOUNDS = frozenset(
    {
        *("too_long", "string_too_long", "bytes_too_long", "finite_number", "int_parsing_size"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
    }
)

In = TypeVar("In")
Out = TypeVar("Out", bound=BaseModel)


class PipeBroken(Exception):
    """What arrived is not a message; the position in the stream is unknown, so the pipe is useless."""


class BoundsBroken(PipeBroken):
    """What arrived is a message, but larger than any that an honest program sends."""


class PipeClosed(Exception):
    """Nobody reads what is sent."""


class MessageTooLarge(ValueError):
    """A message does not fit into a frame."""


class Pipe(Generic[In, Out]):
    """One end of the connection between the supervisor and a worker."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        incoming: TypeAdapter[In],
        longest: int = MAX_FRAME,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming = incoming
        self._longest = longest
        self._finished = False

    @classmethod
    async def open(
        cls, end: socket.socket, incoming: TypeAdapter[In], longest: int = MAX_FRAME
    ) -> Self:
        """Open one end; an incoming frame may have at most ``longest`` bytes."""
        end.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=end)
        return cls(reader, writer, incoming, longest)

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that nobody has read from the socket."""
        if self._writer.transport.is_closing():
            return False
        own = self._writer.get_extra_info("socket").fileno()
        return UNREAD.unpack(fcntl.ioctl(own, termios.FIONREAD, UNREAD.pack(0))) > (0,)

    async def receive(self) -> In | None:
        """Receive the next message, or None once the other side has nothing more to send."""
        frame = await self.receive_frame()
        return None if frame is None else decode(frame, self._incoming)

    async def receive_frame(self) -> bytes | None:
        """Receive the next message as it was written."""
        try:
            header = await self._reader.readexactly(HEADER.size)
            return await self._reader.readexactly(_length(header, self._longest))
        except asyncio.IncompleteReadError as exc:
            if exc.partial or exc.expected != HEADER.size:
                raise PipeBroken("the pipe ended inside a frame") from exc
            return None
        except ConnectionError:
            return None

    def put(self, message: Out) -> None:
        """Send a message without waiting."""
        transport = self._writer.transport
        if self._finished:
            raise PipeClosed("the sending side was finished")
        if transport.is_closing():
            raise PipeClosed("the other side is gone")
        if transport.get_write_buffer_size() > MAX_UNSENT:
            raise PipeClosed("the other side has stopped reading")
        self._writer.write(encode(message))

    async def report(self, message: Out) -> None:
        """Send a message, and wait while the other side is slow to read."""
        self.put(message)
        try:
            await self._writer.drain()
        except ConnectionError as exc:
            raise PipeClosed("the other side is gone") from exc

    def finish(self) -> None:
        """End this direction; what the other side still sends can be received."""
        self._finished = True
        if not self._writer.transport.is_closing():
            self._writer.write_eof()

    def close(self) -> None:
        """Drop the pipe and everything that was not read."""
        self._writer.transport.abort()

    async def flush(self) -> None:
        """Wait until everything that was sent has left this process."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError as exc:
            raise PipeClosed("the other side is gone") from exc


def encode(message: BaseModel) -> bytes:
    body = message.model_dump_json().encode()
    if len(body) > MAX_FRAME:
        raise MessageTooLarge(f"{type(message).__name__} takes {len(body)} bytes")
    return HEADER.pack(len(body)) + body


def decode(body: bytes, adapter: TypeAdapter[In]) -> In:
    try:
        return adapter.validate_json(body)
    except ValidationError as exc:
        raise _error_of(exc) from None


def receive_blocking(end: socket.socket, adapter: TypeAdapter[In]) -> In | None:
    """Receive one message before there is an event loop, and not a byte more."""
    header = _read_blocking(end, HEADER.size)
    if not header:
        return None
    return decode(_read_blocking(end, _length(header)), adapter)


def _read_blocking(end: socket.socket, size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        piece = end.recv(size - len(read))
        if not piece and not read:
            return b""
        if not piece:
            raise PipeBroken("the pipe ended inside a frame")
        read += piece
    return bytes(read)


def _length(header: bytes, longest: int = MAX_FRAME) -> int:
    (length,) = HEADER.unpack(header)
    if length > longest:
        raise BoundsBroken(f"a frame of {length} bytes was announced")
    return int(length)


def _error_of(exc: ValidationError) -> PipeBroken:
    """Name the invalid fields without their values, because these may be secrets."""
    if exc.error_count() > MOST_ERRORS:
        return BoundsBroken(f"{exc.error_count()} errors in one message")
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    kind = BoundsBroken if _BOUNDS.issuperset(error["type"] for error in errors) else PipeBroken
    complaint = "; ".join(
        f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors[:5]
    )
    # The other side may have invented the name of a field.
    return kind(
        "".join(sign if sign.isprintable() else " " for sign in complaint[:LONGEST_COMPLAINT])
    )
