"""What is read from files before they are sent."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.formatting.media_kind import MediaKind, can_join_album, kind_of, mime_of
from session_worker.telegram.sending import file_shape
from session_worker.telegram.sending.file_shape import PictureInfo, VideoInfo, can_be_photo
from tests.fakes.media import make_jpeg, make_mp4, make_png, make_voice

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "kind", "mime"),
    [
        ("a.JPG", MediaKind.PHOTO, "image/jpeg"),
        ("a.png", MediaKind.PHOTO, "image/png"),
        ("a.mp4", MediaKind.VIDEO, "video/mp4"),
        ("a.mov", MediaKind.VIDEO, "video/quicktime"),
        ("a.ogg", MediaKind.VOICE, "audio/ogg"),
        ("a.mp3", MediaKind.AUDIO, "audio/mpeg"),
        ("a.gif", MediaKind.DOCUMENT, "image/gif"),
        ("a.pdf", MediaKind.DOCUMENT, "application/pdf"),
        ("a.tar.gz", MediaKind.DOCUMENT, "application/octet-stream"),
        ("a", MediaKind.DOCUMENT, "application/octet-stream"),
        ("", MediaKind.DOCUMENT, "application/octet-stream"),
    ],
)
def test_name_tells_the_kind(name: str, kind: MediaKind, mime: str) -> None:
    """The end of a name says how the file is sent, whatever its case."""
    assert (kind_of(name), mime_of(name)) == (kind, mime)
    assert can_join_album(name) is (kind in {MediaKind.PHOTO, MediaKind.VIDEO})


def test_pictures_are_measured() -> None:
    """PNG, JPEG tell their edges; anything else tells nothing."""
    assert file_shape.measure_picture(make_png(640, 480)) == PictureInfo(640, 480)
    assert file_shape.measure_picture(make_jpeg(320, 240)) == PictureInfo(320, 240)
    assert file_shape.measure_picture(b"GIF89a" + bytes(20)) is None
    assert file_shape.measure_picture(make_png()[:18]) is None
    assert file_shape.measure_picture(make_jpeg()[:40]) is None


@pytest.mark.parametrize(
    ("found", "size", "fits"),
    [
        (PictureInfo(640, 480), 1000, True),
        (PictureInfo(5000, 5000), 1000, True),
        (PictureInfo(5001, 5000), 1000, False),
        (PictureInfo(200, 10), 1000, True),
        (PictureInfo(201, 10), 1000, False),
        (PictureInfo(0, 10), 1000, False),
        (PictureInfo(640, 480), (10 << 20) + 1, False),
        (None, 1000, False),
    ],
)
def test_photo_has_limits(found: PictureInfo | None, size: int, fits: bool) -> None:
    """Edges, their ratio, the weight must be what Telegram takes for a photo."""
    assert can_be_photo(found, size) is fits


@pytest.mark.parametrize("late", [False, True])
def test_film_is_measured(late: bool) -> None:
    """Length, size are found wherever the index is; the sound's track is passed over."""
    content = make_mp4(12.25, 1920, 1080, late=late)

    assert file_shape.measure_video(io.BytesIO(content)) == VideoInfo(12.25, 1920, 1080)


def test_film_with_long_boxes_is_measured() -> None:
    """A box may give its length in 64 bits, as those over 4 GB do."""
    content = make_mp4(2, 100, 50)
    brand, rest = content[:28], content[28:]
    (length,) = struct.unpack_from(">I", rest)
    long_box = struct.pack(">I4sQ", 1, b"mdat", length + 8) + rest[8:length]

    assert file_shape.measure_video(io.BytesIO(brand + long_box + rest[length:])) == VideoInfo(
        2, 100, 50
    )


def test_broken_film_is_a_film_without_measures() -> None:
    """A film whose index is cut off can still be sent as one; other files are none."""
    assert file_shape.measure_video(io.BytesIO(make_mp4()[:40])) == VideoInfo()
    assert file_shape.measure_video(io.BytesIO(b"no film at all")) is None
    assert file_shape.measure_video(io.BytesIO(b"")) is None


def test_voice_is_measured() -> None:
    """The last page tells the length; without Opus it is no voice message."""
    assert file_shape.measure_voice(io.BytesIO(make_voice(2.5))) == 2.5
    assert file_shape.measure_voice(io.BytesIO(b"OggS" + bytes(60))) is None
    assert file_shape.measure_voice(io.BytesIO(b"")) is None


@given(st.binary(max_size=200), st.integers(0, 200))
def test_garbage_breaks_nothing(garbage: bytes, cut: int) -> None:
    """Files made to confuse are measured to nothing or something, never to a crash."""
    for good in (make_png(), make_jpeg(), make_mp4(), make_voice()):
        content = good[:cut] + garbage
        file_shape.measure_picture(content)
        file_shape.measure_video(io.BytesIO(content))
        file_shape.measure_voice(io.BytesIO(content))


def test_film_of_tracks_within_tracks_is_measured() -> None:
    """A file that a stranger has built to nest without end costs no more than another."""
    inner = b""
    for _ in range(2000):
        inner = struct.pack(">I4s", 8 + len(inner), b"trak") + inner
    content = make_mp4(2, 100, 50) + struct.pack(">I4s", 8 + len(inner), b"free") + inner
    nested = struct.pack(">I4s", 16, b"ftyp") + bytes(8)
    nested += struct.pack(">I4s", 8 + len(inner), b"moov") + inner

    assert file_shape.measure_video(io.BytesIO(nested)) == VideoInfo()
    assert file_shape.measure_video(io.BytesIO(content)) == VideoInfo(2, 100, 50)


BRAND = struct.pack(">I4s", 16, b"ftyp") + bytes(8)


@pytest.mark.parametrize("size", range(8))
@pytest.mark.parametrize("kind", [b"moov", b"free"])
def test_box_shorter_than_its_own_head_is_read(tmp_path: Path, kind: bytes, size: int) -> None:
    """A length of 0 means the rest of the file; the others mean nothing, and cost no memory."""
    film = tmp_path / "film.mp4"
    film.write_bytes(BRAND + struct.pack(">I4s", size, kind) + bytes(100))

    with film.open("rb") as file:
        assert file_shape.measure_video(file) == VideoInfo()


@pytest.mark.parametrize("size", [2**32 - 1, 2**62, 2**63, 2**64 - 1])
def test_box_longer_than_any_file_ends_the_search(size: int) -> None:
    """A server may write a length to which no file can be read; the film is sent all the same."""
    content = BRAND + struct.pack(">I4sQ", 1, b"free", size) + bytes(100)

    assert file_shape.measure_video(io.BytesIO(content)) == VideoInfo()


def test_last_box_may_extend_to_the_end() -> None:
    """The index of a film that was written without going back has no length."""
    content = make_mp4(2, 100, 50, late=True)
    place = content.index(b"moov") - 4

    unended = content[:place] + bytes(4) + content[place + 4 :]

    assert file_shape.measure_video(io.BytesIO(unended)) == VideoInfo(2, 100, 50)


def test_endless_boxes_end_the_search() -> None:
    """A file of nothing but heads is given up, on the top level and within the index."""
    heads = struct.pack(">I4s", 8, b"trak") * (2 * file_shape.MOST_BOXES)
    index = struct.pack(">I4s", 8 + len(heads), b"moov") + heads + make_mp4(2, 100, 50)

    assert file_shape.measure_video(io.BytesIO(BRAND + heads + make_mp4(2, 100, 50))) == VideoInfo()
    assert file_shape.measure_video(io.BytesIO(BRAND + index)) == VideoInfo()
