"""A difference that can't be decoded is left out step by step, never without an end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from telethon.errors import BadRequestError, TypeNotFoundError
from telethon.tl import functions, types

from session_worker.telegram.connection.decoding import MOST_STEPS, Differences

if TYPE_CHECKING:
    from session_worker.telegram.connection.updates import Gap

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING_NEW = types.updates.DifferenceEmpty(NOW, 0)


class Telegram:
    """Has events up to a place, of which some can't be decoded."""

    def __init__(self, end: int, undecodable: set[int], *, makes_slices: bool = True) -> None:
        self.end = end
        self.undecodable = undecodable
        self.makes_slices = makes_slices
        self.asked = 0

    async def answer(self, request: Any) -> Any:
        self.asked += 1
        if isinstance(request, functions.updates.GetStateRequest):
            return types.updates.State(self.end, 0, NOW, 0, 0)
        if request.pts_limit and not self.makes_slices:
            raise BadRequestError(request, "LIMIT_INVALID")
        last = min(self.end, request.pts + (request.pts_limit or 100))
        shown = range(request.pts + 1, last + 1)
        if self.undecodable & set(shown):
            raise TypeNotFoundError(0x7E1E5C0E, b"")
        if not shown:
            return NOTHING_NEW
        messages = [types.Message(n, types.PeerUser(1), NOW, f"{n}") for n in shown]
        state = types.updates.State(last, 0, NOW, 0, 0)
        return types.updates.DifferenceSlice(messages, [], [], [], [], state)


async def read_all(telegram: Telegram) -> tuple[list[int], list[Gap]]:
    """Go on until there is nothing new, as the library does."""
    gaps: list[Gap] = []
    differences = Differences(telegram.answer, gaps.append)
    read: list[int] = []
    pts = 0
    while True:
        request = functions.updates.GetDifferenceRequest(pts, NOW, 0)
        answer = await differences.read(request)
        if isinstance(answer, types.updates.DifferenceEmpty):
            return read, gaps
        read += [message.id for message in answer.new_messages]
        pts = answer.intermediate_state.pts


@pytest.mark.parametrize("makes_slices", [True, False])
async def test_only_what_can_not_be_decoded_is_left_out(makes_slices: bool) -> None:
    """Also from a server that makes no slices everything behind it is read."""
    telegram = Telegram(300, {150, 151, 300}, makes_slices=makes_slices)

    read, gaps = await read_all(telegram)

    left_out = [pts for gap in gaps for pts in range(gap.pts_from + 1, gap.pts_to + 1)]
    assert sorted(read + left_out) == list(range(1, 301))
    assert set(left_out) >= {150, 151, 300}
    if makes_slices:
        assert [(gap.pts_from, gap.pts_to, gap.before_id) for gap in gaps] == [
            (149, 151, 152),
            (299, 300, 0),
        ]


async def test_a_long_stretch_is_left_to_the_history() -> None:
    """Nobody asks ten thousand times for what can't be decoded."""
    telegram = Telegram(10_000, set(range(1, 10_001)))

    read, gaps = await read_all(telegram)

    assert read == []
    assert [(gap.pts_from, gap.pts_to) for gap in gaps] == [(0, 10_000)]
    assert telegram.asked < 2 * MOST_STEPS
