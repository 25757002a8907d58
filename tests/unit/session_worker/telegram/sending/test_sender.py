"""What the answer to a sent message tells."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from session_worker.formatting.rendering import Rendered
from session_worker.protocol.outgoing import Outgoing, Part
from session_worker.telegram.errors import TemporarilyFailed
from session_worker.telegram.sending.flood_control import FloodControl
from session_worker.telegram.sending.requests import Sender


class Account:
    """An account whose limits nobody hears of."""

    def limit(self, _trouble: Any) -> None:
        raise AssertionError


async def test_request_says_how_it_is_sent() -> None:
    """Silence, protection and a link without its preview are asked for as they were wanted."""
    asked: list[Any] = []

    async def ask(request: Any) -> Any:
        asked.append(request)
        return types.UpdateShortSentMessage(id=9, pts=1, pts_count=1, date=None)

    outgoing = Outgoing(peer_id=7, planfix_id="1", parts=(Part(text="hello", random_ids=(5,)),))
    wanted = outgoing.changed(is_silent=True, is_protected=True, without_preview=True)
    for each in (outgoing, wanted):
        await Sender(ask, FloodControl(Account()), each, 77).text(Rendered("hello"), 5)

    shown = [(each.silent, each.noforwards, each.no_webpage) for each in asked]
    assert shown == [(None, None, None), (True, True, True)]


async def test_answer_without_a_message_is_asked_for_again() -> None:
    """Telegram may only say that there is too much: under the same id nothing is sent twice."""

    async def ask(_request: Any) -> Any:
        return types.UpdatesTooLong()

    outgoing = Outgoing(peer_id=7, planfix_id="1", parts=(Part(text="hello", random_ids=(5,)),))
    sender = Sender(ask, FloodControl(Account()), outgoing, 77)

    with pytest.raises(TemporarilyFailed):
        await sender.text(Rendered("hello"), 5)
