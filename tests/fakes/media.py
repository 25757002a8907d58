"""Files that are just real enough: pictures, videos and recordings of any size."""

from __future__ import annotations

import random
import struct
import zlib


def make_png(width: int = 60, height: int = 40, *, weight: int = 500) -> bytes:
    """Make a PNG of one colour; its weight is made up by a chunk that decoders skip."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    chunks = ((b"IHDR", header), (b"noTe", noise(weight)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def make_jpeg(width: int = 60, height: int = 40) -> bytes:
    """Make the beginning of a JPEG, with a note of the camera before its size."""
    note = b"\xff\xe1" + struct.pack(">H", 2 + 100) + noise(100)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + noise(9)
    return b"\xff\xd8\xff" + note[1:] + frame + b"\xff\xd9"


def make_mp4(
    seconds: float = 3.5, width: int = 640, height: int = 360, *, late: bool = True
) -> bytes:
    """Make an MP4 whose index comes late, as cameras write it, or early."""
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, int(seconds * 1000)) + bytes(80))
    sound = _box(b"trak", _box(b"tkhd", bytes(84)))
    size = struct.pack(">II", width << 16, height << 16)
    pictures = _box(b"trak", _box(b"tkhd", bytes(76) + size))
    index = _box(b"moov", mvhd + sound + pictures)
    content = _box(b"mdat", noise(2000))
    brand = _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    return brand + (content + index if late else index + content)


def make_voice(seconds: float = 2.0) -> bytes:
    """Make an Ogg file with Opus in it: a head, noise, a last page that tells the length."""
    return (
        _page(0, b"OpusHead" + bytes(11)) + noise(3000, seed=1) + _page(int(seconds * 48_000), b"")
    )


def noise(size: int, seed: int = 7) -> bytes:
    """Make bytes that can't be compressed, the same ones every time."""
    return random.Random(seed).randbytes(size)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _page(granules: int, body: bytes) -> bytes:
    return b"OggS" + struct.pack("<BBqIIIB", 0, 0, granules, 1, 0, 0, 1) + b"\x13" + body
