"""Workers that are replaced on and on while people write to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKERS = 4


@pytest.fixture(scope="module")
def app() -> str:
    return "tests.acceptance.messages.app:create_ageing_app()"


@pytest.mark.counts_messages
async def test_replacing_workers_loses_nothing(conversation: Conversation) -> None:
    """However often the worker is replaced, each message arrives once, in order, both ways."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    pids: set[int] = set()
    texts = ["hello"]
    told: list[str] = []
    while len(pids) < WORKERS:
        text = f"{len(texts)}"
        texts.append(text)
        await conversation.contact_writes(text)
        told.append(await conversation.employee_tells(text))
        pids |= await _pids(conversation)

    await conversation.until_in_planfix(*texts)
    await conversation.until_in_telegram(*texts[1:])
    for message_id in told:
        await conversation.until_told(message_id, "sent")
    shown = await conversation.shown()
    assert (shown["restarts"], shown["last_error"]) == (0, None)
    await eventually(lambda: _is_settled(conversation))


async def _pids(conversation: Conversation) -> set[int]:
    worker = (await conversation.shown())["worker"]
    return {worker["pid"]} if worker else set()


async def _is_settled(conversation: Conversation) -> bool:
    return bool((await conversation.shown())["backlog"] == {"in": 0, "out": 0})
