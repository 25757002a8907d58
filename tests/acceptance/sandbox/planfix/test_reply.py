"""An employee's message, as the gateway's webhook hears it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.sandbox.planfix.conftest import HELLO, Client
from tests.support.callers import caller

if TYPE_CHECKING:
    from tests.acceptance.sandbox.planfix.gateway import Gateway

CHAT = HELLO["chatId"]


@pytest.fixture
async def chat(planfix: Client, gateway: Gateway) -> Client:
    """Give an account whose employees can answer a contact."""
    await planfix.set_up(webhook_url=gateway.webhook)
    await planfix.call(contactPhone="380955821319", telegramUserName="olenak", telegramUserId="77")
    return planfix


async def test_reply_is_planfix_s_own_form(chat: Client, gateway: Gateway) -> None:
    """The webhook hears every field Planfix sends, the chat's channel among them."""
    gateway.answer = {"chatId": CHAT, "contactId": "77"}

    answer = await chat.reply(chat_id=CHAT, text="Добрий день", message_id="50345842")

    form = dict(gateway.calls[0])
    avatar = form.pop("userIco")
    assert answer.json() == {"message_id": "50345842", "status": 200, "body": gateway.answer}
    assert form == {
        "cmd": "newMessage",
        "providerId": "telegram",
        "chatId": CHAT,
        "contactPhone": "380955821319",
        "channel": "380501112233",
        "token": "our-key",
        "message": "Добрий день",
        "messageId": "50345842",
        "userName": "Olena",
        "userLastName": "Koval",
        "taskEmail": "task+1001@demo.planfix.example",
        "telegramUserName": "olenak",
        "telegramUserId": "77",
    }
    async with caller() as http:
        assert (await http.get(avatar)).headers["Content-Type"] == "image/svg+xml"


async def test_person_is_named_by_the_number_of_their_id(chat: Client, gateway: Gateway) -> None:
    """A user id goes in as the integer that other calls give, and out as text."""
    await chat.reply(telegram_user_id=77, text="x")

    assert dict(gateway.calls[-1])["telegramUserId"] == "77"


async def test_files_are_links_in_order(chat: Client, gateway: Gateway) -> None:
    """Files go as repeated name, url keys in order; each link gives the file to a plain GET."""
    pdf, note = b"%PDF" * 1000, "нотатка".encode()
    files = [
        {"name": "звіт 1.pdf", "base64": base64.b64encode(pdf).decode()},
        {"name": "note", "base64": base64.b64encode(note).decode()},
    ]

    await chat.reply(chat_id=CHAT, files=files)

    pairs = [pair for pair in gateway.calls[0] if pair[0].startswith("attachments")]
    assert [name for name, _ in pairs] == ["attachments[name]", "attachments[url]"] * 2
    assert [value for _, value in pairs[::2]] == ["звіт 1.pdf", "note"]
    assert ("message", "") in gateway.calls[0]
    async with caller() as http:
        first, second = [await http.get(url) for _, url in pairs[1::2]]
    assert (first.content, first.headers["Content-Length"]) == (pdf, "4000")
    assert first.headers["Content-Type"] == "application/pdf"
    assert (second.content, second.headers["Content-Type"]) == (note, "application/octet-stream")


async def test_link_can_not_be_guessed(chat: Client, gateway: Gateway) -> None:
    """A link with another key, or another name, gives nothing."""
    await chat.reply(chat_id=CHAT, files=[{"name": "a.txt", "base64": "YQ=="}])
    link = dict(gateway.calls[0])["attachments[url]"]
    *_, key, _name = link.split("/")

    async with caller() as http:
        other_key = await http.get(link.replace(key, "0" * len(key)))
        other_name = await http.get(link.replace("a.txt", "b.txt"))

    assert len(key) >= 32
    assert (other_key.status_code, other_name.status_code) == (404, 404)


async def test_first_message_has_no_chat_id(chat: Client, gateway: Gateway) -> None:
    """A message to a person Planfix has no chat with goes without `chatId`, `channel`."""
    gateway.answer = {"chatId": "380501112233_99", "contactId": 99}

    await chat.reply(contact_phone="380671234567", telegram_user_name="petro", text="Hi")

    form = dict(gateway.calls[0])
    assert {"chatId", "channel"}.isdisjoint(form)
    assert (form["contactPhone"], form["telegramUserName"]) == ("380671234567", "petro")
    assert form["taskEmail"] == "task+1002@demo.planfix.example"


async def test_first_message_s_answer_ties_its_task(chat: Client, gateway: Gateway) -> None:
    """The chat the gateway names belongs to the task the employee began."""
    gateway.answer = {"chatId": "380501112233_99", "contactId": "99"}
    await chat.reply(contact_phone="380671234567", channel="380501112233", text="Hi")

    task = await chat.ask("getTask", chatId="380501112233_99")
    contact = await chat.ask("getContact", contactId="99")
    await chat.reply(chat_id="380501112233_99", text="Again")

    assert task.json() == {"data": {"number": 1002}}
    assert contact.json() == {"data": {"number": 502}}
    second = dict(gateway.calls[1])
    assert second["taskEmail"] == "task+1002@demo.planfix.example"
    assert second["contactPhone"] == "380671234567"
    assert second["channel"] == "380501112233"


async def test_channel_may_be_chosen(chat: Client, gateway: Gateway) -> None:
    """A channel that is given goes before the chat's own."""
    await chat.reply(chat_id=CHAT, channel="380500000000", text="Hi")

    assert dict(gateway.calls[0])["channel"] == "380500000000"


async def test_message_ids_are_never_the_same(chat: Client, gateway: Gateway) -> None:
    """Each message without an id gets a fresh one, told to both sides."""
    told = [(await chat.reply(chat_id=CHAT, text="Hi")).json()["message_id"] for _ in range(3)]

    assert len(set(told)) == 3
    assert [dict(call)["messageId"] for call in gateway.calls] == told


async def test_bare_message_id_repeats_the_call(chat: Client, gateway: Gateway) -> None:
    """A known message_id alone makes the same call again, link for link."""
    gateway.status = 503
    file = {"name": "a.txt", "base64": "YQ=="}
    first = await chat.reply(contact_phone="380671234567", text="Hi", files=[file])
    gateway.status = 200

    second = await chat.reply(message_id=first.json()["message_id"])

    assert (first.json()["status"], second.json()["status"]) == (503, 200)
    assert gateway.calls[0] == gateway.calls[1]


async def test_same_message_id_keeps_its_task(chat: Client, gateway: Gateway) -> None:
    """A first message written again under its id is about the task it made."""
    for _ in range(2):
        await chat.reply(contact_phone="380671234567", text="Hi", message_id="5")

    assert [dict(call)["taskEmail"] for call in gateway.calls] == [
        "task+1002@demo.planfix.example"
    ] * 2


@pytest.mark.parametrize(
    ("status", "answer", "body"),
    [
        (400, {"error": "Invalid parameters"}, {"error": "Invalid parameters"}),
        (401, {"error": "Invalid token"}, {"error": "Invalid token"}),
        (200, "no JSON at all", "no JSON at all"),
    ],
)
async def test_gateway_s_answer_is_handed_on(
    chat: Client, gateway: Gateway, status: int, answer: object, body: object
) -> None:
    """Status, body of the webhook come back as they are, JSON read where it is JSON."""
    gateway.status, gateway.answer = status, answer

    told = (await chat.reply(chat_id=CHAT, text="Hi")).json()

    assert (told["status"], told["body"]) == (status, body)


async def test_unreachable_webhook_is_told(chat: Client) -> None:
    """A webhook nobody serves leaves a null status with the reason as text."""
    await chat.set_up(webhook_url="http://127.0.0.1:1/webhook/message")

    told = (await chat.reply(chat_id=CHAT, text="Hi")).json()

    assert told["status"] is None
    assert "could not be reached" in told["body"]


async def test_without_webhook_nobody_can_write(planfix: Client) -> None:
    """An account without webhook_url answers 409 in words."""
    answer = await planfix.reply(contact_phone="380671234567", text="Hi")

    assert answer.status_code == 409
    assert "webhook_url" in answer.json()["detail"]


async def test_unknown_message_id_has_nothing_to_repeat(chat: Client) -> None:
    """A message_id alone that was never used answers 409."""
    answer = await chat.reply(message_id="404")

    assert answer.status_code == 409


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "to nobody"},
        {"chat_id": CHAT},
        {"chat_id": CHAT, "text": "Hi", "colour": "red"},
        {"chat_id": CHAT, "files": [{"name": "a", "base64": "%%%"}]},
        {"chat_id": CHAT, "files": [{"base64": "YQ=="}]},
    ],
    ids=str,
)
async def test_invalid_reply_is_refused(chat: Client, fields: dict[str, object]) -> None:
    """A reply without recipient, content, or with broken parts is answered 400 with reasons."""
    answer = await chat.reply(**fields)

    assert answer.status_code == 400
    assert answer.json()["detail"][0]["reason"]


async def test_thread_shows_both_sides(chat: Client, gateway: Gateway) -> None:
    """A task's thread holds the contact's lines beside the employee's with its tick."""
    gateway.status = 503
    message_id = (await chat.reply(chat_id=CHAT, text="Hi")).json()["message_id"]
    refused = (await chat.get("threads"))[0]["lines"][-1]
    gateway.status = 200
    await chat.reply(message_id=message_id)
    accepted = (await chat.get("threads"))[0]["lines"][-1]
    await chat.ask("messageStatus", messageId=message_id, messageStatus="read")

    [thread] = await chat.get("threads")

    assert (refused["tick"], accepted["tick"]) == ("error", "accepted")
    assert [(line["author"], line["text"], line["tick"]) for line in thread["lines"]] == [
        ("contact", "Hello", None),
        ("employee", "Hi", "read"),
    ]
