"""Messages to strangers, through the whole program: they wait for their budget and are not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE_AT_A_TIME = {"burst": 1, "variance": 0.0, "first_contacts_per_day": 1, "growth_per_day": 0}


async def test_strangers_wait_for_their_budget(
    programs: Programs, conversation: Conversation
) -> None:
    """The second stranger waits, Planfix and the journal say until when; a restart changes nothing."""
    await _set(programs, conversation, ONE_AT_A_TIME)
    first, second = [await programs.add_person() for _ in range(2)]
    written = await conversation.employee_writes("hello", contact_phone=first["phone"])
    waiting = await conversation.employee_writes("hello too", contact_phone=second["phone"])
    assert (written["status"], waiting["status"]) == (200, 200)

    await conversation.until_told(written["message_id"], "sent")
    await eventually(lambda: _count(conversation, 1))
    [notice] = await conversation.in_planfix()
    assert (notice["is_echo"], notice["contact_id"]) == (True, str(second["user_id"]))
    await programs.kill()
    await programs.start()
    await conversation.until_online()

    [row] = await conversation.journal(direction="out", state="pending")
    assert (row["error"]["code"], row["attempts"]) == ("first_contact_budget", 0)
    budget = (await conversation.shown())["governor"]["first_contacts"]
    assert (budget["used"], budget["left"], budget["waiting"]) == (1, 0, 1)
    assert budget["next_at"] == row["next_try"]

    await _set(programs, conversation, {"enabled": False})
    await conversation.until_told(waiting["message_id"], "sent")
    assert len(await conversation.in_planfix()) == 1


async def test_suspected_number_answers_only(
    programs: Programs, conversation: Conversation
) -> None:
    """After PEER_FLOOD the next stranger waits until it ends, while a contact is answered at once."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    strangers = [await programs.add_person() for _ in range(2)]
    await conversation.telegram_fails(method="messages.sendMessage", error="PEER_FLOOD", times=1)
    refused = await conversation.employee_writes("1", contact_phone=strangers[0]["phone"])
    await conversation.until_told(refused["message_id"], "error")

    waiting = await conversation.employee_writes("2", contact_phone=strangers[1]["phone"])
    answer = await conversation.employee_tells("an answer")

    assert waiting["status"] == 200
    await conversation.until_told(answer, "sent")
    [row] = await conversation.journal(direction="out", state="pending")
    budgets = (await conversation.shown())["governor"]
    assert row["error"]["code"] == "answers_only"
    assert budgets["cause"] == "PEER_FLOOD"
    # Strangers cost differently, so one may have to wait for a little longer than the suspicion lasts.
    assert budgets["first_contacts"]["next_at"] == row["next_try"] >= budgets["answers_only_until"]
    assert waiting["message_id"] not in await conversation.statuses()
    await _set(programs, conversation, {"enabled": False})
    await conversation.until_told(waiting["message_id"], "sent")


async def _set(programs: Programs, conversation: Conversation, governor: dict[str, Any]) -> None:
    body = {"number": conversation.number, "governor": governor}
    response = await programs.gateway("PUT", "/webhook?wait=60", conversation.token, json=body)
    assert response.json()["state"] in {"online", "limited"}, response.text


async def _count(conversation: Conversation, messages: int) -> bool:
    return len(await conversation.in_planfix()) == messages
