"""What Telegram sends in a newer layer than ours, or does not send at all, is told as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module"),
]


async def test_what_can_not_be_decoded_is_on_a_receipt(
    programs: Programs, conversation: Conversation
) -> None:
    """The number stays online and says why something is missing; what is written around arrives."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.telegram_fails(kind="newer_layer")
    await conversation.contact_writes("newer")
    await programs.control("DELETE", "/telegram/faults")
    (receipt,) = await eventually(conversation.receipts)
    await conversation.contact_writes("after")

    await conversation.until_in_planfix("before", "after")
    await conversation.until_settled()

    assert (receipt["found"], receipt["missing"]) == (0, 1)
    shown = await conversation.shown()
    assert (shown["state"], shown["last_error"]["code"]) == ("online", "layer_outdated")


async def test_a_number_without_a_line_is_not_called_stopped(
    programs: Programs, conversation: Conversation
) -> None:
    """Whom a first message is for can't be found out now, which is what Planfix is answered."""
    await conversation.telegram_fails(kind="cut", seconds=3600)

    async def is_cut() -> bool:
        return bool((await conversation.shown())["state"] == "reconnecting")

    await eventually(is_cut, awaited="reconnecting")
    answer = await conversation.employee_writes("first", contact_phone="380990001122")
    shown = await conversation.shown()
    await programs.control("DELETE", "/telegram/faults")

    assert answer["status"] == 503
    assert answer["body"]["error"] == "number_offline"
    assert "reconnecting" in answer["body"]["detail"]
    assert "worker" not in answer["body"]["detail"]
    assert "time(s)" not in shown["last_error"]["message"]
