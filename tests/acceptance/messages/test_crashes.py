"""A worker, or the whole gateway, killed at each step of a message's way."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.acceptance.messages.conversation import attached
from tests.acceptance.messages.programs import CRASHING
from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.counts_messages]

Moment = tuple[str, str]

IN = [
    ("before", "received"),
    ("after", "received"),
    ("before", "stored"),
    ("after", "stored"),
    ("before", "update_state_moved"),
    ("after", "update_state_moved"),
    ("before", "deliver"),
    ("after", "deliver"),
    ("before", "trying"),
    ("before", "delivered"),
    ("after", "delivered"),
    ("after", "chat_remembered"),
]
OUT = [
    ("before", "send"),
    ("after", "send"),
    ("before", "trying"),
    ("after", "trying"),
    ("before", "part_sent"),
    ("after", "part_sent"),
    ("before", "tell_status"),
    ("after", "tell_status"),
    ("before", "status_told"),
    ("after", "status_told"),
]
# A call may be carried out whose answer is not heard by anyone who lives: it has to be repeated.
UNHEARD = {
    ("before", "update_state_moved"),
    ("after", "update_state_moved"),
}


@pytest.fixture(scope="module")
def app() -> str:
    return CRASHING


@pytest.mark.parametrize("moment", IN, ids=" ".join)
async def test_worker_dies_while_a_message_comes_in(
    conversation: Conversation, moment: Moment
) -> None:
    """Planfix gets every message in order, once each where the answer was heard."""
    await _begin(conversation)

    conversation.plan_crash(*moment)
    await _write_in(conversation)

    await _came_in(conversation, moment)


@pytest.mark.parametrize("moment", OUT, ids=" ".join)
async def test_worker_dies_while_a_message_goes_out(
    conversation: Conversation, moment: Moment
) -> None:
    """Telegram gets every message in order, exactly once; Planfix learns that it was sent."""
    await _begin(conversation)

    conversation.plan_crash(*moment)
    ids = await _write_out(conversation)

    await _went_out(conversation, ids)


async def test_gateway_dies_while_messages_come_in(programs: Programs) -> None:
    """The next gateway goes on, wherever each message was: nothing lost, the order kept."""
    async with begun(programs, IN) as conversations:
        for moment, conversation in conversations.items():
            conversation.plan_crash(*moment, halts=True)
            await _write_in(conversation)
        await _until_halted(conversations)
        await programs.kill()
        await programs.start()

        for moment, conversation in conversations.items():
            with named(moment):
                await _until_last(conversation, "3")
                texts = await conversation.texts_in_planfix()
                # What a worker does when nobody is left to hear of it has to be done again.
                assert max(map(texts.count, texts)) <= 2
                # An answer that the worker has heard is noted by it.
                assert texts.count("1") == 1 or moment[1] != "delivered"
                assert list(dict.fromkeys(texts)) == ["hello", "1", "2", "3"]
                assert await conversation.in_telegram() == []


async def test_gateway_dies_while_messages_go_out(programs: Programs) -> None:
    """The next gateway sends what was kept, exactly once, though Planfix repeats its call."""
    async with begun(programs, OUT) as conversations:
        first = {}
        for moment, conversation in conversations.items():
            conversation.plan_crash(*moment, halts=True)
            first[moment] = (await conversation.employee_writes("1"))["message_id"]
        await _until_halted(conversations)
        await programs.kill()
        await programs.start()

        for moment, conversation in conversations.items():
            with named(moment):
                # The answer to this call may not have come.
                repeated = await conversation.planfix_repeats(first[moment])
                others = [await conversation.employee_tells(text) for text in ("2", "3")]
                assert repeated["status"] == 200
                await _went_out(conversation, [first[moment], *others])


async def test_worker_dies_before_the_answer_to_a_first_message(
    conversation: Conversation,
) -> None:
    """Planfix has carried the call out: its new task proves it, so that it is not repeated."""
    await conversation.planfix_fails("lost_answer", cmd="newMessage", times=1)
    conversation.plan_crash("before", "failed")

    await _write_in(conversation)

    await _until_last(conversation, "3")
    assert conversation.has_crashed
    assert await conversation.texts_in_planfix() == ["1", "2", "3"]


async def test_worker_dies_before_the_answer_to_a_later_message(
    conversation: Conversation,
) -> None:
    """Where nobody can tell whether Planfix has it, it rather comes twice than never."""
    await _begin(conversation)
    await conversation.planfix_fails("lost_answer", cmd="newMessage", times=1)
    conversation.plan_crash("before", "failed")

    await _write_in(conversation)

    await _until_last(conversation, "3")
    assert await conversation.texts_in_planfix() == ["hello", "1", "1", "2", "3"]
    rows = await conversation.journal(direction="in")
    assert [row["is_uncertain"] for row in rows if row["text"] == "1"] == [True]


async def test_worker_dies_while_telegram_is_slow(
    programs: Programs, conversation: Conversation
) -> None:
    """Telegram has taken the message, its answer is on the way: it is sent once all the same."""
    await _begin(conversation)
    await conversation.telegram_fails(kind="slow", seconds=1.0)
    pid = (await conversation.shown())["worker"]["pid"]

    first = await conversation.employee_tells("1")
    await conversation.until_in_telegram("1")
    os.kill(pid, signal.SIGKILL)
    await programs.control("DELETE", "/telegram/faults")
    ids = [first, *[await conversation.employee_tells(text) for text in ("2", "3")]]

    await _went_out(conversation, ids)


async def test_gateway_is_deaf_then_dies(programs: Programs, conversation: Conversation) -> None:
    """A worker may have sent much that was not written down: none of it comes back as an echo."""
    await _begin(conversation)
    await conversation.telegram_fails(kind="slow", seconds=0.3)
    application = psutil.Process(programs.application)
    ids = await _write_out(conversation)
    application.suspend()
    await conversation.until_in_telegram("1", "2", "3")
    await programs.control("DELETE", "/telegram/faults")

    await programs.kill()
    await programs.start()

    await _went_out(conversation, ids)


@pytest.mark.parametrize("let_pass", [0, 1, 2])
async def test_worker_dies_between_the_parts_of_a_message(
    conversation: Conversation, let_pass: int
) -> None:
    """Parts that were sent are not sent again, the others are."""
    await _begin(conversation)
    parts = [f"{count}{'x' * 4000}" for count in range(3)]
    conversation.plan_crash("after", "part_sent", let_pass=let_pass)

    sent = await conversation.employee_tells("\n\n".join(parts))

    await conversation.until_told(sent, "sent")
    await conversation.until_settled()
    assert [text.strip() for text in await conversation.texts_in_telegram()] == parts


async def test_worker_dies_with_an_album_half_sent(conversation: Conversation) -> None:
    """A caption and its pictures are there once, whatever was repeated."""
    await _begin(conversation)
    conversation.plan_crash("before", "part_sent")
    files = [attached(f"{count}.png", make_png()) for count in range(3)]

    sent = await conversation.employee_tells("look", files=files)

    await conversation.until_told(sent, "sent")
    messages = await conversation.in_telegram()
    assert [message["text"] for message in messages] == ["look", "", ""]


@pytest.mark.parametrize("name", ["contact_phone", "telegram_user_name"])
async def test_worker_dies_when_it_has_found_somebody(
    programs: Programs, conversation: Conversation, name: str
) -> None:
    """The next worker can write to whoever was found without looking for them again."""
    person = await programs.add_person(username=f"found_{conversation.number}")
    finder = {
        "contact_phone": person["phone"],
        "telegram_user_name": f"found_{conversation.number}",
    }
    conversation.plan_crash("after", "resolved")

    answer = await conversation.employee_writes("hello", **{name: finder[name]})
    for method in ("contacts.resolvePhone", "contacts.resolveUsername"):
        await conversation.telegram_fails(method=method, error="FLOOD_WAIT_600")

    assert conversation.has_crashed
    assert (answer["status"], answer["body"]["contactId"]) == (200, str(person["user_id"]))
    await conversation.until_told(answer["message_id"], "sent")


@pytest.mark.parametrize("let_pass", [0, 1])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_worker_dies_with_a_caption_refused(
    conversation: Conversation, when: str, let_pass: int
) -> None:
    """The text that went ahead of its file is neither sent again nor taken for the owner's."""
    await _begin(conversation)
    await conversation.telegram_fails(
        method="messages.sendMedia", error="MEDIA_CAPTION_TOO_LONG", times=1
    )
    conversation.plan_crash(when, "part_sent", let_pass=let_pass)

    files = [attached("a.pdf", b"a contract")]
    sent = await conversation.employee_tells("look", files=files)

    await conversation.until_told(sent, "sent")
    await conversation.until_settled()
    assert conversation.has_crashed
    messages = await conversation.in_telegram()
    found = [(message["text"], bool(message["file"])) for message in messages]
    is_forgotten = (when, let_pass) == ("before", 0)
    assert found == ([("look", True)] if is_forgotten else [("look", False), ("", True)])
    assert await conversation.texts_in_planfix() == ["hello"]


@asynccontextmanager
async def begun(
    programs: Programs, moments: Sequence[Moment]
) -> AsyncIterator[dict[Moment, Conversation]]:
    """Begin a conversation for each moment."""
    conversations = {moment: await programs.open() for moment in moments}
    for conversation in conversations.values():
        await _begin(conversation)
    yield conversations
    for conversation in conversations.values():
        await programs.close(conversation)


@contextmanager
def named(moment: Moment) -> Iterator[None]:
    """Add the moment at which the worker was to a failure."""
    try:
        yield
    except AssertionError as exc:
        exc.add_note(f"the worker had halted {' '.join(moment)}")
        raise


async def _until_halted(conversations: Mapping[Moment, Conversation]) -> None:
    for moment, conversation in conversations.items():
        await eventually(lambda: conversation.has_crashed, awaited=f"{moment} reached")  # noqa: B023


async def _begin(conversation: Conversation) -> None:
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.until_settled()


async def _write_in(conversation: Conversation) -> None:
    for text in ("1", "2", "3"):
        await conversation.contact_writes(text)


async def _write_out(conversation: Conversation) -> list[str]:
    return [await conversation.employee_tells(text) for text in ("1", "2", "3")]


async def _came_in(conversation: Conversation, moment: Moment) -> None:
    await eventually(lambda: conversation.has_crashed, awaited=f"{moment} reached")
    await _until_last(conversation, "3")
    texts = await conversation.texts_in_planfix()
    once = list(dict.fromkeys(texts))
    assert once == ["hello", "1", "2", "3"]
    if moment in UNHEARD:
        assert len(texts) <= len(once) + 1
        assert texts == sorted(texts, key=once.index)
    else:
        assert texts == once
    assert await conversation.in_telegram() == []


async def _went_out(conversation: Conversation, ids: list[str]) -> None:
    for message_id in ids:
        await eventually(lambda: _is_told(conversation, message_id), awaited="sent")  # noqa: B023
    await conversation.until_settled()
    assert conversation.has_crashed
    assert await conversation.texts_in_telegram() == ["1", "2", "3"]
    assert {*map(tuple, (await conversation.statuses()).values())} <= {("sent",), ("sent", "sent")}
    assert await conversation.texts_in_planfix() == ["hello"]


async def _until_last(conversation: Conversation, text: str) -> None:
    """Wait until the last message has come and nothing is under way any more."""

    async def is_last() -> bool:
        return (await conversation.texts_in_planfix())[-1:] == [text]

    await eventually(is_last, awaited=f"{text} in Planfix")
    await conversation.until_settled()


async def _is_told(conversation: Conversation, message_id: str) -> bool:
    return message_id in await conversation.statuses()
