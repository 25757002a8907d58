"""Logins that come as files or texts, in place of others: nothing is lost, read twice or trapped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient
from telethon.sessions import SQLiteSession
from telethon.tl import functions

from tests.acceptance.messages.conversation import CLIENT
from tests.acceptance.messages.test_lost_login import is_in, log_in
from tests.support.session_files import write_session_file
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module"),
]
MISSED = ("missed 1", "missed 2", "missed 3")


async def test_file_that_is_ahead_loses_nothing(
    programs: Programs, conversation: Conversation
) -> None:
    """What another program has read meanwhile is delivered here all the same, with a receipt."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await stop(programs, conversation)
    for text in MISSED:
        await conversation.contact_writes(text)
    await read_with_another_program(programs, conversation, "ahead")

    assert await change(programs, conversation, name_session="ahead") == "online"

    async def is_counted() -> bool:
        return [counted(each) for each in await conversation.receipts()] == [(3, 3, 0)]

    await conversation.until_in_planfix("before", *MISSED)
    await eventually(is_counted, awaited="a receipt of all")


async def test_same_file_again_reads_nothing_again(
    programs: Programs, conversation: Conversation
) -> None:
    """A file that is behind by now neither repeats a message nor writes a receipt."""
    await stop(programs, conversation)
    await read_with_another_program(programs, conversation, "behind")
    await change(programs, conversation, name_session="behind")
    texts = ["one", "two", "three", "four"]
    for text in texts:
        await conversation.contact_writes(text)
    await conversation.until_in_planfix(*texts)

    assert await change(programs, conversation, name_session="behind") == "online"
    await conversation.contact_writes("afterwards")

    await conversation.until_in_planfix(*texts, "afterwards")
    assert await conversation.receipts() == []


@pytest.mark.parametrize("way", ["qr", "text", "file"])
async def test_known_contacts_are_answered_after_a_new_login(
    programs: Programs, conversation: Conversation, way: str
) -> None:
    """Access hashes belong to a login; the answer arrives though the contact writes no more."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.telegram_fails(kind="revoke")
    await programs.control("POST", "/telegram/faults", kind="cut")
    await eventually(lambda: is_in(conversation, "needs_login"), awaited="needs_login")
    early = await conversation.employee_tells("written while nobody was logged in")

    match way:
        case "qr":
            await log_in(programs, conversation)
        case "text":
            made = await session_text(programs, conversation.number)
            await change(programs, conversation, string_session=made)
        case _:
            path = programs.folder / "data" / "sessions" / "bare.session"
            made = await session_text(programs, conversation.number)
            await asyncio.to_thread(write_session_file, path, made)
            await change(programs, conversation, name_session="bare")
    await conversation.until_online()
    late = await conversation.employee_tells("written afterwards")

    await conversation.until_in_telegram("written while nobody was logged in", "written afterwards")
    for message_id in (early, late):
        await conversation.until_told(message_id, "sent")


async def test_file_under_a_mistyped_number_is_free_for_the_right_one(
    programs: Programs, conversation: Conversation
) -> None:
    """The wrong number says why it needs a login; the right one takes the file at once."""
    right = await another_number(programs, "right")

    assert await change(programs, conversation, name_session="right") == "needs_login"
    shown = await conversation.shown()
    imported = await register(programs, right, "right")

    assert shown["last_error"]["code"] == "wrong_account"
    assert right not in str(shown)
    assert imported == (201, "online")


async def test_purge_leaves_another_accounts_login_alone(
    programs: Programs, conversation: Conversation
) -> None:
    """Telegram is not asked to end a login that the number only had by mistake."""
    right = await another_number(programs, "borrowed")
    slow = {"kind": "slow", "phone": right, "seconds": 0.5}  # so that nobody has looked whose it is
    await programs.control("POST", "/telegram/faults", **slow)
    await change(programs, conversation, name_session="borrowed", wait=0)
    named = {"name": CLIENT, "number": conversation.number}

    await programs.gateway("DELETE", "/webhook?purge=true", json=named)
    await programs.control("DELETE", "/telegram/faults")

    assert await register(programs, right, "borrowed") == (201, "online")


async def test_own_login_after_a_mistake_goes_on_where_it_was(
    programs: Programs, conversation: Conversation
) -> None:
    """A file of another account costs the number neither a message nor its chats."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await another_number(programs, "mistaken")
    await change(programs, conversation, name_session="mistaken")
    await conversation.contact_writes("meanwhile")

    made = await session_text(programs, conversation.number)
    assert await change(programs, conversation, string_session=made) == "online"

    await conversation.until_in_planfix("before", "meanwhile")
    await conversation.employee_tells("answer")
    await conversation.until_in_telegram("answer")


async def stop(programs: Programs, conversation: Conversation) -> None:
    named = {"name": CLIENT, "number": conversation.number}
    (await programs.gateway("DELETE", "/webhook", json=named)).raise_for_status()


async def change(
    programs: Programs, conversation: Conversation, *, wait: float = 60, **session: str
) -> str:
    """Put a session into the number as the operator; return the state."""
    body = {"number": conversation.number, **session}
    response = await programs.gateway("PUT", f"/webhook?wait={wait}", json=body)
    return str(response.raise_for_status().json()["state"])


async def session_text(programs: Programs, number: str) -> str:
    made = await programs.control("POST", "/telegram/sessions", phone=number)
    return str(made["string_session"])


async def read_with_another_program(
    programs: Programs, conversation: Conversation, name: str
) -> None:
    """Leave a session file of a newer login, which has read all there is, as Telethon does."""
    path = programs.folder / "data" / "sessions" / f"{name}.session"
    made = await session_text(programs, conversation.number)
    await asyncio.to_thread(write_session_file, path, made)
    async with TelegramClient(SQLiteSession(str(path)), 1, "hash") as client:
        await client.get_dialogs()
        state = await client(functions.updates.GetStateRequest())
        client.session.set_update_state(0, state)


async def another_number(programs: Programs, name: str) -> str:
    """Open an account that no number of ours is, leave a session file of it."""
    owner: Any = await programs.add_person()
    path = programs.folder / "data" / "sessions" / f"{name}.session"
    made = await session_text(programs, owner["phone"])
    await asyncio.to_thread(write_session_file, path, made)
    return str(owner["phone"])


async def register(programs: Programs, number: str, name: str) -> tuple[int, str]:
    body = {
        "name": CLIENT,
        "number": number,
        "url_planfix": f"{programs.sandbox_url}/planfix/client/webchat/api",
        "token_planfix": "planfix-token",
        "name_session": name,
    }
    response = await programs.gateway("POST", "/webhook?wait=60", json=body)
    return response.status_code, str(response.json().get("state"))


def counted(receipt: dict[str, Any]) -> tuple[int, int, int]:
    return receipt["found"], receipt["delivered"], receipt["missing"]
