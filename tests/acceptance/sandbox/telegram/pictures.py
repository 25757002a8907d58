"""Files to send: tiny pictures that real decoders accept, and noise of any length."""

from __future__ import annotations

import io
import random
import struct
import zlib


def make_png(width: int = 60, height: int = 40, *, weight: int = 4000) -> bytes:
    """Make a PNG of one colour; its weight is made up by a chunk that decoders skip."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    chunks = ((b"IHDR", header), (b"noTe", noise(weight)), (b"IDAT", zlib.compress(rows)))
    body = b"".join(_chunk(kind, data) for kind, data in (*chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def noise(size: int, seed: int = 7) -> bytes:
    """Make bytes that can't be compressed, the same ones every time."""
    return random.Random(seed).randbytes(size)


def named(name: str, content: bytes) -> io.BytesIO:
    """Give bytes a file name as Telethon takes it."""
    file = io.BytesIO(content)
    file.name = name
    return file


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
