"""What was sent for Planfix is known again when it is edited or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.outgoing import SENT_SEPARATELY, Part
from session_worker.telegram.reading.message_memory import (
    IndexedMessage,
    MessageIndex,
    RecentMessage,
    RecentMessages,
    SentMessages,
)

if TYPE_CHECKING:
    from pathlib import Path

PEER = 1000002


@pytest.fixture
def recollection() -> RecentMessages:
    return RecentMessages()


@pytest.fixture
def traces(recollection: RecentMessages, tmp_path: Path) -> SentMessages:
    return SentMessages(recollection, MessageIndex(tmp_path / "sent"))


async def test_messages_are_found_by_the_next_process(traces: SentMessages, tmp_path: Path) -> None:
    """All that was sent is noted on disk, what was not sent or not found is not."""
    part = Part(text="look", files=(0, 1, 2), random_ids=(1, 2, 3, 4))

    await traces.add(PEER, part, (5, None, 0, SENT_SEPARATELY))
    await traces.add(PEER, part, (5, 6, 0, 5))

    later = MessageIndex(tmp_path / "sent")
    assert [await later.find(each) for each in (5, 6)] == [IndexedMessage(PEER, is_out=True)] * 2
    assert await later.find(0) is None
    assert (tmp_path / "sent").stat().st_size == 3 * 12


async def test_text_is_remembered_as_it_reads(
    traces: SentMessages, recollection: RecentMessages
) -> None:
    """Of a text it is known what it said; of a file what Telegram told is not overwritten."""
    heard = RecentMessage(PEER, is_out=True, snippet="a.pdf", file=77)
    recollection.add(6, heard)

    await traces.add(PEER, Part(text="<b>nine</b>", random_ids=(1,)), (5,))
    await traces.add(PEER, Part(text="look", files=(0,), random_ids=(2, 3)), (6, 6))

    assert recollection.find(5) == RecentMessage(PEER, is_out=True, snippet="nine")
    assert recollection.find(6) == heard
