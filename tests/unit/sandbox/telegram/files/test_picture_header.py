"""Headers of pictures, good, cut short or made up."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.files.media import THUMBNAIL, THUMBNAIL_EDGE
from sandbox.telegram.files.picture_header import Picture, measure

APP1 = b"\xff\xe1" + struct.pack(">H", 2 + 70) + b"\xff" * 70
FRAME = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 480, 640)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
RIFF = b"RIFF\0\0\0\0WEBP"
LOSSY = RIFF + b"VP8 " + b"\0" * 10 + struct.pack("<HH", 640, 480)
LOSSLESS = RIFF + b"VP8L" + b"\0" * 4 + b"\x2f" + struct.pack("<I", 639 | 479 << 14)
EXTENDED = RIFF + b"VP8X" + b"\0" * 8 + b"\x7f\x02\0" + b"\xdf\x01\0"
HEADS = [
    ("image/png", PNG),
    ("image/gif", b"GIF87a" + struct.pack("<HH", 640, 480)),
    ("image/gif", b"GIF89a" + struct.pack("<HH", 640, 480)),
    ("image/jpeg", b"\xff\xd8" + APP1 + b"\xff\x01" + b"\xff" + FRAME),
    ("image/webp", LOSSY),
    ("image/webp", LOSSLESS),
    ("image/webp", EXTENDED),
]


@pytest.mark.parametrize(("mime_type", "head"), HEADS)
def test_header_tells_the_size(mime_type: str, head: bytes) -> None:
    """Each format tells its width, its height."""
    assert measure(head + b"rest") == Picture(mime_type, 640, 480)


@pytest.mark.parametrize(("mime_type", "head"), HEADS)
def test_cut_header_is_no_picture(mime_type: str, head: bytes) -> None:
    """A header that ends early tells nothing, wherever it ends."""
    assert {measure(head[:length]) for length in range(len(head) - 3)} == {None}


@given(st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF1234WEBPVP8"]), st.binary())
def test_garbage_is_survived(magic: bytes, noise: bytes) -> None:
    """Whatever follows a good beginning is measured or not, without an error."""
    picture = measure(magic + noise)

    assert picture is None or picture.width >= 0


def test_thumbnail_is_a_picture() -> None:
    """The thumbnail made here is a JPEG of the size it is said to have."""
    assert measure(THUMBNAIL.content) == Picture("image/jpeg", THUMBNAIL_EDGE, THUMBNAIL_EDGE)
