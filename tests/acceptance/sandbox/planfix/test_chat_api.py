"""The five commands of the chat API, answered as Planfix documents it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.sandbox.planfix.conftest import HELLO, Client

if TYPE_CHECKING:
    import httpx

INVALID = {"error": "Invalid parameters"}


async def test_message_is_accepted_with_an_empty_answer(planfix: Client) -> None:
    """A newMessage is answered 200 without a body, then shown in the contract's shape."""
    answer = await planfix.call(title="Olena K", contactLastName="K", isEcho="true")

    assert (answer.status_code, answer.content) == (200, b"")
    assert await planfix.get("messages") == [
        {
            "chat_id": "380501112233_77",
            "contact_id": "77",
            "contact_name": "Olena K",
            "text": "Hello",
            "is_echo": True,
            "title": "Olena K",
            "attachments": [],
            "task": 1001,
        }
    ]


async def test_messages_are_kept_in_order(planfix: Client) -> None:
    """Messages are shown in the order Planfix took them."""
    for number in range(5):
        await planfix.call(message=f"line {number}")

    shown = await planfix.get("messages")

    assert [message["text"] for message in shown] == [f"line {number}" for number in range(5)]


@pytest.mark.parametrize(
    "change",
    [
        {"cmd": None},
        {"cmd": "newmessage"},
        {"providerId": None},
        {"providerId": "tele~gram"},
        {"chatId": None},
        {"chatId": ""},
        {"contactId": None},
        {"contactName": None},
        {"contactName": ""},
        {"message": None},
        {"message": ""},
        {"isEcho": "perhaps"},
        {"attachments[name]": "a.txt"},
        {"attachments[url]": "http://127.0.0.1:1/a"},
    ],
    ids=str,
)
async def test_invalid_message_is_refused(planfix: Client, change: dict[str, Any]) -> None:
    """A required field that is missing or wrong is answered 400 in Planfix's words."""
    answer = await planfix.call(**change)

    assert (answer.status_code, answer.json()) == (400, INVALID)
    assert await planfix.get("messages") == []


@pytest.mark.parametrize(
    "change",
    [{"planfix_token": "wrong"}, {"planfix_token": None}, {"providerId": "whatsapp"}],
    ids=str,
)
async def test_wrong_key_is_refused(planfix: Client, change: dict[str, Any]) -> None:
    """A wrong token, or another provider's, is answered 401 in Planfix's words."""
    answer = await planfix.call(**change)

    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid token"})
    assert await planfix.get("messages") == []


async def test_json_is_refused(planfix: Client) -> None:
    """A JSON body has no form fields, so Planfix refuses it."""
    answer = await planfix.http.post("webchat/api", json=HELLO)

    assert (answer.status_code, answer.json()) == (400, INVALID)


@pytest.mark.parametrize(
    "body",
    [b"", b"&&&", b"message=\xd0", b"message=%D0", b"a=1&" * 3000],
    ids=["empty", "no fields", "half a character", "half an escape", "thousands of fields"],
)
async def test_garbage_is_refused(planfix: Client, body: bytes) -> None:
    """A body that is no form in UTF-8 is answered 400, never with a crash."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await planfix.http.post("webchat/api", content=body, headers=headers)

    assert (answer.status_code, answer.json()) == (400, INVALID)


async def test_empty_text_is_fine_beside_a_file(planfix: Client) -> None:
    """A message without text is accepted when it carries a file."""
    file = {"attachments[name]": "a.txt", "attachments[url]": "http://127.0.0.1:1/a.txt"}

    answer = await planfix.call(message="", **file)

    assert answer.status_code == 200


async def test_task_comes_into_being_with_the_first_message(planfix: Client) -> None:
    """A chat has no task before its first message, the same task ever after."""
    before = await planfix.ask("getTask", chatId=HELLO["chatId"])
    await planfix.call()
    first = await planfix.ask("getTask", chatId=HELLO["chatId"])
    await planfix.call()
    second = await planfix.ask("getTask", chatId=HELLO["chatId"])

    assert (before.status_code, before.json()) == (400, {"error": "task not found"})
    assert (first.status_code, first.json()) == (200, {"data": {"number": 1001}})
    assert second.json() == first.json()


async def test_each_chat_has_its_own_task(planfix: Client) -> None:
    """Another chat gets another task, even of the same contact."""
    await planfix.call()
    await planfix.call(chatId="380509999999_77")

    tasks = [message["task"] for message in await planfix.get("messages")]

    assert tasks == [1001, 1002]


async def test_task_may_come_as_text(planfix: Client) -> None:
    """An account in that mode gives getTask's data as JSON text with `statusIsActive`."""
    await planfix.set_up(get_task_as_string=True)
    await planfix.call()

    answer = await planfix.ask("getTask", chatId=HELLO["chatId"])

    assert json.loads(answer.json()["data"]) == {"number": 1001, "statusIsActive": True}


async def test_contact_comes_into_being_with_the_first_message(planfix: Client) -> None:
    """A contact is unknown before its first message, has one number for all its chats."""
    before = await planfix.ask("getContact", contactId="77")
    await planfix.call()
    await planfix.call(chatId="380509999999_77")
    after = await planfix.ask("getContact", contactId="77")

    assert (before.status_code, before.json()) == (400, {"error": "unknown contact"})
    assert (after.status_code, after.json()) == (200, {"data": {"number": 501}})


async def test_title_renames_the_task_each_time(planfix: Client) -> None:
    """The first title names the task, a later one renames it with a suffix (quirk Q1)."""
    await planfix.call(title="Olena")
    first = (await planfix.get("threads"))[0]["task_name"]
    await planfix.call(title="Olena")
    second = (await planfix.get("threads"))[0]["task_name"]
    await planfix.call()
    third = (await planfix.get("threads"))[0]["task_name"]

    assert (first, second, third) == ("Olena", "Olena (WebChat, Olena)", "Olena (WebChat, Olena)")


async def test_contact_is_updated(planfix: Client) -> None:
    """An updateContact changes the card that later messages are shown with."""
    await planfix.call()

    answer = await planfix.ask("updateContact", contactId="77", contactName="O", contactPhone="38")

    assert (answer.status_code, answer.content) == (200, b"")
    assert (await planfix.get("threads"))[0]["contact"] == "O"


@pytest.mark.parametrize("fields", [{"contactId": "77"}, {"contactId": "78", "contactName": "O"}])
async def test_invalid_update_is_refused(planfix: Client, fields: dict[str, str]) -> None:
    """An update without a name, or of a contact Planfix never met, is answered 400."""
    await planfix.call()

    answer = await planfix.ask("updateContact", **fields)

    assert (answer.status_code, answer.json()) == (400, INVALID)


async def test_statuses_are_kept_in_order(planfix: Client) -> None:
    """Statuses are shown in order; a word Planfix does not know counts as `sent`."""
    for word in ("sent", "read", "seen"):
        answer = await planfix.ask("messageStatus", messageId="5", messageStatus=word)
        assert (answer.status_code, answer.content) == (200, b"")
    await planfix.ask(
        "messageStatus", messageId="6", messageStatus="error", messageStatusText="blocked"
    )

    assert await planfix.get("statuses") == [
        {"message_id": "5", "status": "sent", "text": ""},
        {"message_id": "5", "status": "read", "text": ""},
        {"message_id": "5", "status": "sent", "text": ""},
        {"message_id": "6", "status": "error", "text": "blocked"},
    ]


@pytest.mark.parametrize("fields", [{"messageId": "5"}, {"messageStatus": "sent"}])
async def test_invalid_status_is_refused(planfix: Client, fields: dict[str, str]) -> None:
    """A status without its message, or a message without its status, is answered 400."""
    answer = await planfix.ask("messageStatus", **fields)

    assert (answer.status_code, answer.json()) == (400, INVALID)


async def test_calls_are_kept_as_they_came(planfix: Client) -> None:
    """Every call is shown with all values of its fields, refused ones too."""
    accepted = {"attachments[name]": ["a", "b"], "attachments[url]": ["http://x/a", "http://x/b"]}
    await planfix.call(cmd="getTask", **accepted)
    await planfix.call(planfix_token="wrong", data_City="Lviv")

    first, second = await planfix.get("calls")

    assert first["fields"]["attachments[name]"] == ["a", "b"]
    assert (first["status"], second["status"]) == (400, 401)
    assert second["fields"] == {
        name: [value]
        for name, value in (HELLO | {"planfix_token": "wrong", "data_City": "Lviv"}).items()
    }
    assert first["at"] <= second["at"]


async def test_unknown_account_is_not_found(http: httpx.AsyncClient) -> None:
    """An account nobody made answers 404, as a wrong Planfix host would."""
    answer = await http.post("/planfix/nobody/webchat/api", data=HELLO)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
