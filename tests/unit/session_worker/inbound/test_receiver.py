"""An update that can't be understood holds up none of those behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from session_worker.inbound.receiver import UpdateReceiver
from session_worker.protocol.messages import GapFilled
from session_worker.telegram.errors import Undecodable
from session_worker.telegram.reading.message_memory import MessageIndex
from session_worker.texts import texts_of
from tests.fakes.outbox import KeptOutbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from session_worker.telegram.reading.message_parser import ParsedUpdate


class FailingParser:
    """Needs an answer of Telegram's that can't be decoded, or does not expect what it reads."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def parse(self, update: Any) -> Sequence[ParsedUpdate]:
        raise self._error


class Source:
    """Notes what is done with."""

    is_behind = False

    def __init__(self) -> None:
        self.done: list[int] = []

    def acknowledge(self, position: int) -> None:
        self.done.append(position)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Undecodable(0x7E1E5C0E), "7e1e5c0e"),
        (ValueError("a secret text"), "UpdateDeleteMessages: ValueError in test_receiver, line "),
        (OverflowError(), "OverflowError"),
        (AttributeError(), "AttributeError"),
        (KeyError("a secret text"), "KeyError"),
    ],
)
async def test_what_cannot_be_read_is_left_out_with_a_receipt(
    tmp_path: Path, error: Exception, told: str
) -> None:
    """To read it again would change nothing: the update counts as missing, its place is passed."""
    outbox, source = KeptOutbox(), Source()
    whereabouts = MessageIndex(tmp_path / "messages")
    reception = UpdateReceiver(FailingParser(error), whereabouts, outbox, texts_of("en"), source)

    await reception.receive(5, types.UpdateDeleteMessages([1], pts=9, pts_count=1))

    assert source.done == [5]
    (receipt,) = outbox.events
    assert isinstance(receipt, GapFilled)
    assert (receipt.pts_to, receipt.found, receipt.missing) == (9, 0, 1)
    assert told in receipt.detail
    assert "secret" not in receipt.detail
