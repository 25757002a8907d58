"""How parts become files, what is remembered for how long."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.files import ABANDONED_AFTER, Files
from sandbox.telegram.files.stored_file import Disk
from sandbox.telegram.files.upload import Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PART_SIZES = st.sampled_from([1 << 10, 2 << 10, 16 << 10])


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = 0.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def files(clock: Clock) -> AsyncIterator[Files]:
    files = Files(clock)
    await files.open()
    yield files
    await files.close()


@settings(max_examples=60)
@given(content=st.binary(min_size=1, max_size=70_000), part_size=PART_SIZES, data=st.data())
async def test_any_order_gives_the_same_file(
    content: bytes, part_size: int, data: st.DataObject
) -> None:
    """Parts may come in any order, some twice; any piece reads as of the original."""
    starts = range(0, len(content), part_size)
    order = data.draw(st.permutations([*enumerate(starts), *list(enumerate(starts))[:2]]))
    offset, limit = data.draw(st.integers(0, 80_000)), data.draw(st.integers(1, 80_000))
    disk = Disk()
    await disk.open()

    upload = Upload(disk)
    for number, start in order:
        upload.save(number, content[start : start + part_size])
    file = upload.finish(len(starts), md5(content).hexdigest())

    assert file.size == len(content)
    assert file.read(0, file.size) == content
    assert file.read(offset, limit) == content[offset : offset + limit]
    await disk.close()


async def test_changed_part_counts_in_the_checksum(files: Files) -> None:
    """A part that was sent again replaces the first one, in the checksum too."""
    for number, part in ((0, b"x" * 1024), (1, b"y"), (0, b"z" * 1024)):
        files.save_part(1, 5, number, part)

    checksum = md5(b"z" * 1024 + b"y").hexdigest()
    file = files.take(1, types.InputFile(5, 2, "a", checksum))

    assert file.read(0, 2000) == b"z" * 1024 + b"y"


async def test_uploads_belong_to_their_account(files: Files) -> None:
    """Two accounts may make up the same id for different files."""
    files.save_part(1, 5, 0, b"one")
    files.save_part(2, 5, 0, b"two")

    taken = [files.take(owner, types.InputFileBig(5, 1, "a")).read(0, 9) for owner in (1, 2)]

    assert taken == [b"one", b"two"]


async def test_abandoned_upload_is_forgotten(files: Files, clock: Clock) -> None:
    """An upload that nobody goes on with is gone after a while, a living one is not."""
    files.save_part(1, 5, 0, b"x")
    clock.moment = ABANDONED_AFTER / 2
    files.save_part(1, 6, 0, b"y")
    clock.moment = ABANDONED_AFTER + 1
    files.save_part(1, 7, 0, b"z")

    assert files.take(1, types.InputFile(6, 1, "a", "")).size == 1
    with pytest.raises(RpcError, match="FILE_PART_0_MISSING"):
        files.take(1, types.InputFile(5, 1, "a", ""))


async def test_digest_is_of_the_content(files: Files) -> None:
    """The hash of a file is its SHA-256, whenever it is asked for."""
    file = await files.keep(b"some bytes")

    assert await files.digest(file) == await files.digest(file)
    assert await files.digest(file) == sha256(b"some bytes").hexdigest()


async def test_story_is_no_upload(files: Files) -> None:
    """An InputFile that names something else than an upload is refused."""
    with pytest.raises(RpcError, match="MEDIA_INVALID"):
        files.take(1, types.InputFileStoryDocument(types.InputDocumentEmpty()))
