"""Texts both ways, with what becomes of them."""

from __future__ import annotations

import asyncio
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


async def test_texts_go_both_ways(conversation: Conversation) -> None:
    """A contact's message reaches Planfix with who it is from; the answer reaches the contact."""
    await conversation.contact_writes("good morning")
    await conversation.until_in_planfix("good morning")

    answered = await conversation.employee_tells("what can I do for you?")

    await conversation.until_in_telegram("what can I do for you?")
    await conversation.until_told(answered, "sent")
    (message,) = await conversation.in_planfix()
    (call,) = await conversation.calls("newMessage")
    assert (message["chat_id"], message["is_echo"]) == (conversation.chat_id, False)
    assert message["contact_id"] == str(conversation.contact_id)
    assert (call["channel"], call["providerId"]) == (conversation.number, "telegram")
    assert (call["contactName"], call["contactLastName"]) == ("Taras", "Melnyk")
    assert call["contactPhone"] == conversation.contact
    assert call["telegramUserId"] == str(conversation.contact_id)
    assert [row["state"] for row in await conversation.journal()] == ["delivered"] * 2


async def test_one_integration_serves_two_numbers(
    programs: Programs, conversation: Conversation
) -> None:
    """Planfix has one token for both; each answer leaves from the number that was written to."""
    second = await programs.open(beside=conversation)
    await conversation.contact_writes("to the shop")
    await conversation.until_in_planfix("to the shop")
    await second.contact_writes("to the workshop")
    await second.until_in_planfix("to the shop", "to the workshop")

    from_second = await second.employee_tells("the workshop answers")
    from_first = await conversation.employee_tells("the shop answers")

    await second.until_in_telegram("the workshop answers")
    await conversation.until_in_telegram("the shop answers")
    await second.until_told(from_second, "sent")
    await second.until_told(from_first, "sent")
    channels = {call["chatId"]: call["channel"] for call in await second.calls("newMessage")}
    assert channels == {each.chat_id: each.number for each in (conversation, second)}
    await programs.close(second)


async def test_only_the_first_message_names_a_task(conversation: Conversation) -> None:
    """A title is sent as long as Planfix has no task for the chat."""
    await conversation.contact_writes("first")
    await conversation.contact_writes("second")

    await conversation.until_in_planfix("first", "second")

    titles = [message["title"] for message in await conversation.in_planfix()]
    assert titles[0]
    assert titles[1] is None


async def test_order_is_kept(conversation: Conversation) -> None:
    """What is written quickly arrives in the order in which it was written, both ways."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    answers, questions = ([f"{who} {count}" for count in range(20)] for who in ("we", "they"))

    for answer, question in zip(answers, questions, strict=True):
        await conversation.employee_tells(answer)
        await conversation.contact_writes(question)

    await conversation.until_in_telegram(*answers)
    await conversation.until_in_planfix("hello", *questions)


@pytest.mark.parametrize("by", ["telegram_user_id", "telegram_user_name", "contact_phone"])
async def test_employee_writes_first(
    programs: Programs, conversation: Conversation, by: str
) -> None:
    """A person nobody has talked to yet is found by id, user name or phone."""
    username = f"stranger_{conversation.number}"
    stranger = await programs.add_person(first_name="Iryna", username=username)
    path, people = "/telegram/messages", {"of": stranger["phone"], "with": conversation.number}
    known = {
        "telegram_user_id": str(stranger["user_id"]),
        "telegram_user_name": username,
        "contact_phone": stranger["phone"],
    }
    if by == "telegram_user_id":  # an id alone can be written to only by who has met it
        await _meet(conversation, stranger["phone"])

    answer = await conversation.employee_writes(
        "may I?", channel=conversation.number, **{by: known[by]}
    )

    chat_id = f"{conversation.number}_{stranger['user_id']}"
    assert (answer["status"], answer["body"]["chatId"]) == (200, chat_id)
    await conversation.until_told(answer["message_id"], "sent")
    texts = [message["text"] for message in await programs.look(path, **people)]
    assert texts[-1] == "may I?"


async def test_nobody_is_found(conversation: Conversation) -> None:
    """A first message to nobody is refused with a detail; nothing of it is kept."""
    answer = await conversation.employee_writes(
        "hello?", channel=conversation.number, telegram_user_name="nobody_is_called_so"
    )

    assert (answer["status"], answer["body"]["error"]) == (400, "Invalid parameters")
    assert answer["body"]["detail"]
    assert await conversation.journal() == []


async def test_owner_writes_on_another_device(conversation: Conversation) -> None:
    """It reaches Planfix as an echo; what we sent for Planfix ourselves never does."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    answered = await conversation.employee_tells("from Planfix")
    await conversation.until_told(answered, "sent")

    await conversation.owner_writes("from the phone")
    await conversation.contact_writes("thanks")

    await conversation.until_in_planfix("hello", "from the phone", "thanks")
    messages = await conversation.in_planfix()
    assert [message["is_echo"] for message in messages] == [False, True, False]
    assert messages[1]["chat_id"] == conversation.chat_id


async def test_edit_and_deletion_are_told(programs: Programs, conversation: Conversation) -> None:
    """Each arrives as a new line that says what happened."""
    (written,) = await conversation.contact_writes("tomorow")
    await conversation.until_in_planfix("tomorow")

    mine = {"of": conversation.contact, "id": written}
    await programs.control("PATCH", "/telegram/messages", **mine, text="tomorrow")
    await _until_lines(conversation, 2)
    await programs.control("DELETE", "/telegram/messages", **mine)
    await _until_lines(conversation, 3)

    _, edit, deletion = await conversation.texts_in_planfix()
    assert edit != "tomorrow"
    assert "tomorrow" in edit
    assert deletion


async def test_changes_of_sent_messages_are_told(conversation: Conversation) -> None:
    """What the owner does in Telegram to a message of an employee's is told to Planfix."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    for text in ("come at nine", "no, at ten", "the office is closed"):
        await conversation.until_told(await conversation.employee_tells(text), "sent")
    nine, ten, closed = [each["id"] for each in await conversation.own_messages()]

    change = {"of": conversation.number, "id": nine, "text": "come at eight"}
    await conversation.programs.control("PATCH", "/telegram/messages", **change)
    await conversation.deletes(ten)
    told = ["hello", "Edited: come at eight", "Message deleted: no, at ten"]
    await conversation.until_in_planfix(*told)
    await conversation.restart()
    await conversation.deletes(closed)

    await conversation.until_in_planfix(*told, "Message deleted")
    echoes = [each["is_echo"] for each in await conversation.in_planfix()]
    assert echoes == [False, True, True, True]


async def test_statuses_tell_the_truth(conversation: Conversation) -> None:
    """`sent` when Telegram took it, `read` when the contact read it, each told once."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    first = await conversation.employee_tells("one")
    second = await conversation.employee_tells("two")
    await conversation.until_told(second, "sent")

    await conversation.contact_reads()

    await conversation.until_told(first, "sent", "read")
    await conversation.until_told(second, "sent", "read")


async def test_refusal_of_telegram_is_told_in_words(conversation: Conversation) -> None:
    """What can't be sent is an `error` with a text a person understands."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.telegram_fails(
        method="messages.sendMessage", error="USER_IS_BLOCKED", times=1
    )

    refused = await conversation.employee_tells("are you there?")
    taken = await conversation.employee_tells("hello?")

    await conversation.until_told(refused, "error")
    await conversation.until_told(taken, "sent")
    statuses = await conversation.calls("messageStatus")
    (words,) = [
        status["messageStatusText"] for status in statuses if status["messageId"] == refused
    ]
    assert "USER_IS_BLOCKED" not in words
    assert len(words.split()) > 3
    await conversation.until_in_telegram("hello?")


async def test_repeat_is_not_sent_twice(conversation: Conversation) -> None:
    """Planfix repeats a call whose answer it missed: same answer, one message."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    message_id = await conversation.employee_tells("once")

    again = await asyncio.gather(*(conversation.planfix_repeats(message_id) for _ in range(5)))

    said = {"chatId": conversation.chat_id, "contactId": str(conversation.contact_id)}
    assert [(answer["status"], answer["body"]) for answer in again] == [(200, said)] * 5
    await conversation.until_told(message_id, "sent")
    await conversation.until_in_telegram("once")


async def test_long_text_is_split(conversation: Conversation) -> None:
    """More than Telegram takes at once comes as several messages; nothing of it is lost."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    text = "\n\n".join(f"{paragraph}: {'word ' * 100}".strip() for paragraph in range(20))

    sent = await conversation.employee_tells(text)

    await conversation.until_told(sent, "sent")
    texts = await conversation.texts_in_telegram()
    assert len(texts) > 1
    assert max(map(len, texts)) <= 4096
    assert " ".join(" ".join(texts).split()) == " ".join(text.split())


async def _meet(conversation: Conversation, phone: str) -> None:
    """Let somebody else write to the number first."""
    people = {"from": phone, "to": conversation.number}
    await conversation.programs.control("POST", "/telegram/messages", **people, text="it is me")
    await _until_lines(conversation, 1)


async def _until_lines(conversation: Conversation, count: int) -> None:
    async def are_there() -> bool:
        return len(await conversation.in_planfix()) >= count

    await eventually(are_there, awaited=f"{count} lines in Planfix")
