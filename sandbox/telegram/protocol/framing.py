"""Cuts a TCP byte stream into MTProto packets for every transport that clients speak."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FRAME = 2 << 20
ABRIDGED_TAG = b"\xef"
INTERMEDIATE_TAG = b"\xee" * 4
PADDED_TAG = b"\xdd" * 4
OBFUSCATION_HEADER = 64
_SHORTEST_PACKET = 4


class FramingError(Exception):
    """The bytes are not a frame of this transport."""


class Transport(Protocol):
    """One way to mark the end of a packet."""

    def frame(self, packet: bytes) -> bytes: ...

    def cut(self, buffer: bytearray) -> bytes | None:
        """Cut one packet off the buffer; return None while it is incomplete."""


class Full:
    """Length, sequence number and checksum around each packet."""

    def __init__(self) -> None:
        self._sent = 0
        self._received = 0

    def frame(self, packet: bytes) -> bytes:
        framed = struct.pack("<ii", len(packet) + 12, self._sent) + packet
        self._sent += 1
        return framed + struct.pack("<I", crc32(framed))

    def cut(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < 4:
            return None
        (length,) = struct.unpack_from("<i", buffer)
        _check_length(length - 12)
        framed = _cut(buffer, 0, length)
        return None if framed is None else self._opened(framed)

    def _opened(self, framed: bytes) -> bytes:
        (number,) = struct.unpack_from("<i", framed, 4)
        (checksum,) = struct.unpack_from("<I", framed, len(framed) - 4)
        if number != self._received or checksum != crc32(framed[:-4]):
            raise FramingError("wrong sequence number or checksum")
        self._received += 1
        return framed[8:-4]


class Abridged:
    """One length byte counting words, or four for long packets."""

    def frame(self, packet: bytes) -> bytes:
        words = len(packet) >> 2
        if words < 0x7F:
            return bytes([words]) + packet
        return b"\x7f" + words.to_bytes(3, "little") + packet

    def cut(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < 4:
            return None
        if buffer[0] > 0x7F:
            raise FramingError("quick acknowledgements are not spoken here")
        header, words = (1, buffer[0]) if buffer[0] < 0x7F else (4, _three_bytes(buffer))
        _check_length(words << 2)
        return _cut(buffer, header, words << 2)


class Intermediate:
    """Four length bytes before each packet."""

    def frame(self, packet: bytes) -> bytes:
        return struct.pack("<i", len(packet)) + packet

    def cut(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < 4:
            return None
        (length,) = struct.unpack_from("<i", buffer)
        _check_length(length)
        return _cut(buffer, 4, length)


class Padded(Intermediate):
    """As Intermediate, with up to fifteen bytes of noise after each packet."""

    def cut(self, buffer: bytearray) -> bytes | None:
        packet = super().cut(buffer)
        if packet is None or packet[:8] == bytes(8):
            return packet  # a plain message has its own length inside
        # An encrypted one consists of whole blocks after the ids of its key and of itself.
        noise = (len(packet) - 8) % 16 if len(packet) > 24 else len(packet) % 4
        return packet[: len(packet) - noise]


class Deframer:
    """The framing of one connection, recognised by its first bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: Transport | None = None
        self._obfuscation: _Obfuscation | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the packets that these bytes complete; raise FramingError on bad ones."""
        self._buffer += self._obfuscation.uncover(data) if self._obfuscation else data
        if self._transport is None:
            self._transport = self._recognise()
        while self._transport and (packet := self._transport.cut(self._buffer)) is not None:
            yield packet

    def frame(self, packet: bytes) -> bytes:
        if self._transport is None:
            raise FramingError("nothing was received yet")
        framed = self._transport.frame(packet)
        return self._obfuscation.cover(framed) if self._obfuscation else framed

    def _recognise(self) -> Transport | None:
        start = self._buffer
        if start[:1] == ABRIDGED_TAG:
            del start[:1]
            return Abridged()
        if len(start) < 8:
            return None
        if transport := _tagged(start):
            del start[:4]
            return transport
        return Full() if start[4:8] == bytes(4) else self._recognise_obfuscated()

    def _recognise_obfuscated(self) -> Transport | None:
        if len(self._buffer) < OBFUSCATION_HEADER:
            return None
        self._obfuscation = _Obfuscation(bytes(self._buffer[:OBFUSCATION_HEADER]))
        plain = self._obfuscation.uncover(bytes(self._buffer))
        self._buffer[:] = plain[OBFUSCATION_HEADER:]
        transport = _tagged(plain[56:60])
        if transport is None:
            raise FramingError("no known transport")
        return transport


class _Obfuscation:
    """The AES-CTR streams that hide a transport, keyed by the connection's first 64 bytes."""

    def __init__(self, header: bytes) -> None:
        mirrored = header[55:7:-1]
        self.uncover = ctr(header[8:40], header[40:56])
        self.cover = ctr(mirrored[:32], mirrored[32:48])


class _Stream(Protocol):
    def __call__(self, data: bytes, /) -> bytes: ...


def ctr(key: bytes, counter: bytes) -> _Stream:
    """Make a stream that encrypts or decrypts bytes in their order."""
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update


def _tagged(start: bytes | bytearray) -> Transport | None:
    tag = bytes(start[:4])
    if tag == ABRIDGED_TAG * 4:
        return Abridged()
    return {INTERMEDIATE_TAG: Intermediate, PADDED_TAG: Padded}.get(tag, lambda: None)()


def _three_bytes(buffer: bytearray) -> int:
    return int.from_bytes(buffer[1:4], "little")


def _check_length(length: int) -> None:
    if not _SHORTEST_PACKET <= length <= MAX_FRAME:
        raise FramingError(f"a frame of {length} bytes")


def _cut(buffer: bytearray, start: int, length: int) -> bytes | None:
    if len(buffer) < start + length:
        return None
    taken = bytes(buffer[start : start + length])
    del buffer[: start + length]
    return taken
