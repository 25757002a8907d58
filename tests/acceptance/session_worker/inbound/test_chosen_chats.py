"""About a chat that is left out nothing leaves the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import TelegramClient
from telethon.sessions import StringSession
from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import Contact as Saved
from sandbox.telegram.chats.message_actions import Draft
from session_worker.protocol.chats import ChatSelection, ChatsListed, LeftOut, ListChats, Mode
from session_worker.protocol.contract import (
    EntitiesSeen,
    SessionChanged,
    SessionState,
    Trouble,
    TroubleCode,
)
from session_worker.protocol.messages import Failed, Resolve, Resolved, Send
from session_worker.protocol.outgoing import Outgoing, Part
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.protocol.contract import Command
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

WORD = "private-word-7f3a"


@pytest.fixture
async def other_device(idle: InboundNumber) -> AsyncIterator[TelegramClient]:
    """Give the owner's own Telegram app, on another device."""
    session = StringSession(idle.centre.session_string_for(PHONE))
    client = TelegramClient(session, 1, "hash")
    await client.connect()
    yield client
    await client.disconnect()


def everything_said(number: InboundNumber) -> str:
    return "\n".join(event.model_dump_json() for event in number.recorder.events)


async def tell(number: InboundNumber, command: Command) -> None:
    assert number.recorder.number is not None
    await number.recorder.number.handle(command)


async def test_nothing_of_a_chat_left_out_leaves_the_worker(idle: InboundNumber) -> None:
    """Neither messages, edits, deletions, readings, echoes nor names cross the pipe."""
    idle.chats = ChatSelection(mode=Mode.EXCEPT, people=(str(idle.contact.id),))
    await idle.start()
    office = idle.centre.message_actions

    posted = idle.write(WORD)
    mine = idle.write(f"{WORD} too", sender=idle.me)
    office.edit(idle.contact, posted.message.id, Draft(f"{WORD} again"))
    office.read(idle.contact, idle.me)
    office.delete(idle.contact, [posted.message.id], for_all=True)
    office.delete(idle.me, [mine.message.id], for_all=True)
    idle.write("for Planfix", sender=idle.other)

    await idle.until_texts("for Planfix")
    await idle.until_settled()
    said = everything_said(idle)
    assert WORD not in said
    assert "Melnyk" not in said
    assert str(idle.contact.id) not in said


async def test_what_was_written_before_a_start_stays_private(idle: InboundNumber) -> None:
    """Catching up, and filling a gap from the history, leave the same chats out."""
    idle.chats = ChatSelection(mode=Mode.ONLY, people=("Ivan",))
    await idle.start()
    idle.write("first", sender=idle.other)
    await idle.until_texts("first")
    await idle.until_settled()
    await idle.stop()

    idle.write(WORD)
    idle.write("second", sender=idle.other)
    await idle.start()
    await idle.until_texts("first", "second")
    await idle.until_settled()
    await idle.stop()
    said = everything_said(idle)

    idle.write(WORD)
    idle.write("third", sender=idle.other)
    idle.centre.forget_events(PHONE)
    await idle.start()
    await idle.until_texts("first", "second", "third")

    assert WORD not in said + everything_said(idle)


async def test_selection_follows_the_owners_folders(
    idle: InboundNumber, other_device: TelegramClient
) -> None:
    """A chat that the owner moves into a folder on the phone goes from then on."""
    idle.chats = ChatSelection(mode=Mode.ONLY, folders=("Work",))
    await idle.start()
    idle.write(WORD)
    await idle.until_settled()

    friend = await other_device.get_input_entity("taras_m")
    title = types.TextWithEntities("Work", [])
    folder = types.DialogFilter(2, title, [], [friend], [])
    await other_device(functions.messages.UpdateDialogFilterRequest(2, folder))
    idle.write("at work")

    await idle.until_texts("at work")
    assert WORD not in everything_said(idle)


async def test_missing_folder_keeps_everything_private(
    idle: InboundNumber, other_device: TelegramClient
) -> None:
    """While the folder of the private chats cannot be found, nothing goes, and the state says why."""
    idle.chats = ChatSelection(mode=Mode.EXCEPT, folders=("Family",))
    await idle.start()
    idle.write(WORD)
    await idle.until_settled()
    changes = [each for each in idle.recorder.events if isinstance(each, SessionChanged)]
    lacking = Trouble(code=TroubleCode.FOLDER_MISSING, detail="Family")
    assert (changes[-1].state, changes[-1].trouble) == (SessionState.ONLINE, lacking)

    title = types.TextWithEntities("Family", [])
    friend = await other_device.get_input_entity("taras_m")
    folder = types.DialogFilter(2, title, [], [friend], [])
    await other_device(functions.messages.UpdateDialogFilterRequest(2, folder))
    idle.write("a customer", sender=idle.other)

    await idle.until_texts("a customer")
    assert WORD not in everything_said(idle)
    last = [each for each in idle.recorder.events if isinstance(each, SessionChanged)][-1]
    assert last.trouble is None


async def test_selection_follows_the_contact_list(
    idle: InboundNumber, other_device: TelegramClient
) -> None:
    """Whom the owner takes into the contacts is left out from then on, and goes again afterwards."""
    idle.chats = ChatSelection(mode=Mode.EXCEPT, contacts=True)
    await idle.start()
    idle.write("a stranger")
    await idle.until_texts("a stranger")

    friend = await other_device.get_input_entity("taras_m")
    await other_device(functions.contacts.AddContactRequest(friend, "Taras", "M", ""))
    idle.write(WORD)
    idle.write("other", sender=idle.other)
    await idle.until_texts("a stranger", "other")
    await other_device(functions.contacts.DeleteContactsRequest([friend]))
    idle.write("a stranger again")

    await idle.until_texts("a stranger", "other", "a stranger again")
    assert WORD not in everything_said(idle)


async def test_waiting_message_of_a_chat_left_out_is_erased(idle: InboundNumber) -> None:
    """What was stored before the selection changed is not delivered after it."""
    await idle.start()
    idle.recorder.hands_over = False
    idle.write(WORD)
    await idle.until_settled()
    await idle.stop()
    idle.recorder.hands_over = True

    idle.chats = ChatSelection(mode=Mode.EXCEPT, people=("@taras_m",))
    await idle.start_again()

    await eventually(lambda: LeftOut(row=1) in idle.recorder.events)
    assert idle.told == []


async def test_nothing_is_sent_to_a_chat_left_out(idle: InboundNumber) -> None:
    """An employee's message there fails with its own code, and a first one finds nobody."""
    idle.chats = ChatSelection(mode=Mode.EXCEPT, people=("Taras Melnyk",))
    idle.write("before", sender=idle.me)
    await idle.start()
    outgoing = Outgoing(
        peer_id=idle.contact.id, planfix_id="1", parts=(Part(text="hi", random_ids=(1,)),)
    )

    await tell(idle, Send(row=5, outgoing=outgoing))
    await tell(idle, Resolve(request_id=3, username="taras_m"))

    def outcomes() -> list[str]:
        failed = [e.failure.code for e in idle.recorder.events if isinstance(e, Failed)]
        answers = [e for e in idle.recorder.events if isinstance(e, Resolved)]
        return failed + [e.failure.detail for e in answers if e.failure]

    await eventually(lambda: len(outcomes()) == 2)
    assert set(outcomes()) == {
        "CHAT_LEFT_OUT",
        "This chat is private: it is left out of Planfix",
    }
    assert "Melnyk" not in everything_said(idle)
    assert [m.content.text for m in idle.contact.box] == ["before"]


@pytest.mark.parametrize("with_names", [True, False])
async def test_preview_says_which_chats_go(idle: InboundNumber, *, with_names: bool) -> None:
    """A preview shows every private chat, and without names those left out only by id."""
    idle.me.contacts[idle.other.id] = Saved("Ivan", "", "380931112233")
    idle.write("one")
    idle.write("two", sender=idle.other)
    await idle.start()
    selection = ChatSelection(mode=Mode.ONLY, contacts=True, folders=("Nowhere",))

    await tell(idle, ListChats(request_id=4, selection=selection, with_names=with_names))

    def answers() -> list[ChatsListed]:
        return [each for each in idle.recorder.events if isinstance(each, ChatsListed)]

    await eventually(answers)
    (listed,) = answers()
    assert {each.peer_id: (each.is_chosen, each.name) for each in listed.chats} == {
        idle.other.id: (True, "Ivan"),
        idle.contact.id: (False, "Taras Melnyk" if with_names else None),
    }
    assert (listed.unknown_folders, listed.is_complete) == (("Nowhere",), True)


async def test_names_wait_until_the_contacts_are_known(idle: InboundNumber) -> None:
    """Who was seen before the contact list was read is reported once it says that they go."""
    idle.me.contacts[idle.contact.id] = Saved("Taras", "", "380671112233")
    idle.chats = ChatSelection(mode=Mode.ONLY, contacts=True)
    await idle.start()
    idle.write("hello")
    idle.write(WORD, sender=idle.other)
    await idle.until_texts("hello")
    await idle.until_settled()
    await idle.stop()

    seen = [e for e in idle.recorder.events if isinstance(e, EntitiesSeen)]
    assert {each.peer_id for event in seen for each in event.entities} == {idle.contact.id}
