"""The chat of a message can be told long after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.telegram.reading.message_memory import (
    MOST_INDEXED,
    RECORD,
    IndexedMessage,
    MessageIndex,
)

if TYPE_CHECKING:
    from pathlib import Path


async def test_chats_are_found_by_message(tmp_path: Path) -> None:
    """Who wrote in which chat is known, of unknown messages nothing."""
    places = MessageIndex(tmp_path / "messages")
    for message_id in range(1, 2000):
        places.add(message_id, 10**9 + message_id * 257, is_out=message_id % 2 == 0)

    assert await places.find(1024) == IndexedMessage(10**9 + 1024 * 257, is_out=True)
    assert await places.find(7) == IndexedMessage(10**9 + 7 * 257, is_out=False)
    assert await places.find(5000) is None


async def test_they_outlive_the_process(tmp_path: Path) -> None:
    """The next process knows them too, with the newest of all, past half a record of a crash."""
    before = MessageIndex(tmp_path / "messages")
    before.add(5, 70, is_out=False)
    await before.save()
    with (tmp_path / "messages").open("ab") as file:
        file.write(b"\x01\x02\x03")

    after = MessageIndex(tmp_path / "messages")
    await after.open()
    assert after.newest == 5
    after.add(6, 80, is_out=False)

    assert await after.find(6) == IndexedMessage(80, is_out=False)
    assert await after.find(5) == IndexedMessage(70, is_out=False)


async def test_what_is_not_stored_is_not_written(tmp_path: Path) -> None:
    """The next process begins after the last message before which all are stored."""
    places = MessageIndex(tmp_path / "messages")
    for position, message_id in ((1, 5), (2, 6), (3, 7)):
        places.begin(position)
        places.add(message_id, 70, is_out=False)
    after = MessageIndex(tmp_path / "messages")

    newest = []
    for stored in (2, 1, 4, 3):
        places.finish(stored)
        assert await places.find(7) == IndexedMessage(70, is_out=False)
        await after.open()
        newest.append(after.newest)

    assert newest == [0, 6, 6, 7]


async def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    """The file stays small."""
    path = tmp_path / "messages"
    places = MessageIndex(path)
    for message_id in range(1, MOST_INDEXED + 1):
        places.add(message_id, 7, is_out=False)
    await places.save()

    places.add(MOST_INDEXED + 1, 7, is_out=False)

    assert await places.find(MOST_INDEXED + 1)
    assert await places.find(MOST_INDEXED)
    assert await places.find(1) is None
    assert path.stat().st_size < MOST_INDEXED * RECORD.size


async def test_a_disk_that_takes_nothing_ends_nothing(tmp_path: Path) -> None:
    """What can't be written down is known meanwhile, then written with what comes later."""
    folder = tmp_path / "spool"
    places = MessageIndex(folder / "messages")
    places.add(5, 70, is_out=False)

    await places.save()
    assert await places.find(5) == IndexedMessage(70, is_out=False)
    folder.mkdir()
    places.add(6, 80, is_out=True)
    await places.save()

    after = MessageIndex(folder / "messages")
    assert await after.find(5) == IndexedMessage(70, is_out=False)
    assert await after.find(6) == IndexedMessage(80, is_out=True)
