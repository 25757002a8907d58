"""Private chats and history with the whole gateway, whose workers are killed meanwhile."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=5)


async def change(programs: Programs, conversation: Conversation, **fields: object) -> None:
    body = {"number": conversation.number, **fields}
    path = "/webhook?wait=60"
    answer = await programs.gateway("PUT", path, conversation.token, json=body)
    assert (answer.status_code, answer.json()["state"]) == (200, "online"), answer.text


async def kill_worker(conversation: Conversation) -> None:
    """Kill the worker that runs now; an earlier one may have been killed a moment ago."""

    async def is_killed() -> bool:
        worker = (await conversation.shown())["worker"]
        if worker is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(worker["pid"], signal.SIGKILL)
            return True
        return False

    await eventually(is_killed, awaited="a worker to kill")


@pytest.mark.counts_messages
async def test_history_comes_once_in_spite_of_kills(
    programs: Programs, conversation: Conversation
) -> None:
    """Each message of the last days is in Planfix once, in order, between them none that is new."""
    written = [f"before {count}" for count in range(25)]
    friend = await programs.add_person(first_name="Friend")
    for count, text in enumerate(written):
        said = {"from": friend["phone"], "to": conversation.number, "text": text}
        date = (DAY + timedelta(hours=count)).isoformat()
        await programs.control("POST", "/telegram/messages", **said, date=date)

    selection = {"mode": "only", "people": [friend["user_id"]]}
    since = f"{DAY.date()}"
    await change(programs, conversation, chats=selection, history_since=since)

    async def arrived() -> list[str]:
        found = await conversation.texts_in_planfix()
        return [text.partition(" UTC:\n")[2] or text for text in found]

    for least in (3, 12):

        async def has_come(least: int = least) -> bool:
            return len(await arrived()) >= least

        await eventually(has_come, awaited=f"{least} messages of the history")
        await kill_worker(conversation)
    new = {"from": friend["phone"], "to": conversation.number, "text": "now"}
    await programs.control("POST", "/telegram/messages", **new)

    async def is_over() -> bool:
        return "now" in await arrived()

    await eventually(is_over, awaited="what is new, after the history")
    # A call whose answer was lost by a kill may be in Planfix twice, one after the other.
    assert list(dict.fromkeys(await arrived())) == [*written, "now"]


async def test_employee_reads_why_a_chat_is_closed(
    programs: Programs, conversation: Conversation
) -> None:
    """An answer to a chat that is left out by now becomes an error with a text; it goes again later."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await change(programs, conversation, chats={"mode": "except", "people": ["Taras Melnyk"]})

    refused = await conversation.employee_tells("are you there?")
    await conversation.until_told(refused, "error")
    await change(programs, conversation, chats={"mode": "all"})
    sent = await conversation.employee_tells("and now?")
    await conversation.until_told(sent, "sent")

    told = await programs.look(f"/planfix/{conversation.account}/statuses")
    (text,) = (each["text"] for each in told if each["status"] == "error")
    assert text.startswith("This chat is private")
    assert await conversation.texts_in_telegram() == ["and now?"]
