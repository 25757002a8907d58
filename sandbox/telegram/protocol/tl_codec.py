"""Converts bytes to TL objects and back with Telethon's codec, within bounds that no sender can exceed."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl.alltlobjects import tlobjects
from telethon.tl.core import GzipPacked, MessageContainer

from sandbox.telegram.protocol import older_layers

MAX_INFLATED = 8 << 20
MAX_DEPTH = 40
MAX_CONTAINED = 1020
# Some clients send what gzip_packed holds in the format of zlib, and Telegram takes both.
_GZIP_OR_ZLIB = 47
COMPRESS_ABOVE = 512
# Pieces of files are bigger; compressing them would take long and gain little.
COMPRESS_BELOW = 64 << 10
_BOOLEANS = {True: b"\xb5\x75\x72\x99", False: b"\x37\x97\x79\xbc"}
_VECTOR = 0x1CB5C415
_GARBAGE = (
    AssertionError,
    AttributeError,
    BufferError,
    IndexError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


class MalformedBody(Exception):
    """The bytes are not a TL object."""


class UnknownConstructor(MalformedBody):
    """The bytes start with a constructor that the installed layer does not have."""

    def __init__(self, constructor: int) -> None:
        super().__init__(f"unknown constructor {constructor:08x}")
        self.constructor = constructor


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a client, still serialised."""

    message_id: int
    seq_no: int
    body: bytes


class LongVector(list[int]):
    """A result of type Vector<long>, which plain lists of int (Vector<int>) are not."""


class Allowance:
    """How many bytes one packet may still inflate to."""

    def __init__(self, size: int = MAX_INFLATED) -> None:
        self._left = size

    def inflate(self, packed: bytes) -> bytes:
        inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            plain = inflater.decompress(packed, self._left + 1)
        except zlib.error as exc:
            raise MalformedBody("not gzip") from exc
        self._left -= len(plain)
        if self._left < 0:
            raise MalformedBody("inflates to more than a packet may")
        return plain


class _Reader(BinaryReader):  # type: ignore[misc]  # Telethon ships no types
    """Telethon's reader with a limit on nesting and on what gzip inflates to."""

    def __init__(self, data: bytes, allowance: Allowance, depth: int = 0) -> None:
        super().__init__(data)
        self._allowance = allowance
        self._depth = depth

    def tgread_object(self) -> Any:
        (constructor,) = struct.unpack_from("<I", self.stream, self.position)
        if constructor == MessageContainer.CONSTRUCTOR_ID or self._depth >= MAX_DEPTH:
            raise MalformedBody("nested too deep")
        self._depth += 1
        try:
            if constructor == GzipPacked.CONSTRUCTOR_ID:
                return self._read_packed()
            if constructor not in tlobjects and (older := older_layers.find(constructor)):
                self.position += 4
                return older.read(self)
            return super().tgread_object()
        finally:
            self._depth -= 1

    def _read_packed(self) -> Any:
        self.position += 4
        plain = self._allowance.inflate(self.tgread_bytes())
        return _Reader(plain, self._allowance, self._depth).tgread_object()


def read_object(body: bytes, allowance: Allowance | None = None) -> Any:
    """Read one TL object; raise MalformedBody if there is none."""
    try:
        return _Reader(body, allowance or Allowance()).tgread_object()
    except TypeNotFoundError as exc:
        raise UnknownConstructor(exc.invalid_constructor_id) from exc
    except _GARBAGE as exc:
        raise MalformedBody(str(exc)) from exc


def unpack(message: Incoming) -> list[Incoming]:
    """Split a container into its messages; any other message is its own only part."""
    if message.body[:4] != struct.pack("<I", MessageContainer.CONSTRUCTOR_ID):
        return [message]
    try:
        return _contained(message.body)
    except struct.error as exc:
        raise MalformedBody("a container cut short") from exc


def _contained(body: bytes) -> list[Incoming]:
    (count,) = struct.unpack_from("<i", body, 4)
    if not 0 <= count <= MAX_CONTAINED:
        raise MalformedBody(f"a container of {count} messages")
    parts, position = [], 8
    for _ in range(count):
        message_id, seq_no, length = struct.unpack_from("<qii", body, position)
        position += 16 + length
        if length < 4 or position > len(body):
            raise MalformedBody("a container cut short")
        parts.append(Incoming(message_id, seq_no, body[position - length : position]))
    return parts


def serialise(result: Any) -> bytes:
    """Serialise a result: an object, a boolean, a vector, or bytes that are serialised already."""
    if isinstance(result, bool):
        return _BOOLEANS[result]
    if isinstance(result, list):
        return struct.pack("<Ii", _VECTOR, len(result)) + b"".join(_elements(result))
    return bytes(result)


def _elements(vector: list[Any]) -> list[bytes]:
    number = "<q" if isinstance(vector, LongVector) else "<i"
    return [struct.pack(number, item) if type(item) is int else serialise(item) for item in vector]


def compress(body: bytes) -> bytes:
    """Compress a body that is long enough to gain by it and short enough not to delay others."""
    if not COMPRESS_ABOVE < len(body) < COMPRESS_BELOW:
        return body
    packed = bytes(GzipPacked(body))
    return packed if len(packed) < len(body) else body
