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


async def test_answer_without_a_message_is_asked_for_again() -> None:
    """Telegram may only say that there is too much: under the same id nothing is sent twice."""

    async def ask(_request: Any) -> Any:
        return types.UpdatesTooLong()

    outgoing = Outgoing(peer_id=7, planfix_id="1", parts=(Part(text="hello", random_ids=(5,)),))
    sender = Sender(ask, FloodControl(Account()), outgoing, 77)

    with pytest.raises(TemporarilyFailed):
        await sender.text(Rendered("hello"), 5)
