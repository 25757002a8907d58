"""Folders and reactions as unmodified clients use them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from telethon import errors, events
from telethon.tl import functions, types

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from telethon import TelegramClient

    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

THUMB = types.ReactionEmoji("👍")


def folder(*peers: object, **kinds: bool) -> types.DialogFilter:
    title = types.TextWithEntities("Work", [])
    return types.DialogFilter(2, title, [], list(peers), [], **kinds)


async def test_folders_are_kept_for_all_devices(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A folder made on one device is told to another, which can address everybody in it."""
    phone, tablet = await client_of(alice), await client_of(alice)
    told = asyncio.Event()
    tablet.add_event_handler(lambda _: told.set(), events.Raw(types.UpdateDialogFilters))

    friend = await phone.get_input_entity("bobby")
    made = folder(friend, contacts=True)
    await phone(functions.messages.UpdateDialogFilterRequest(2, made))
    await eventually(told.is_set)
    listed = await tablet(functions.messages.GetDialogFiltersRequest())

    everything, kept = listed.filters
    assert isinstance(everything, types.DialogFilterDefault)
    assert (kept.id, kept.title.text, kept.contacts) == (2, "Work", True)
    (peer,) = kept.include_peers
    assert peer.user_id == bob.id
    assert await tablet.get_messages(peer, limit=1) == []


@pytest.mark.parametrize("folder_id", [0, 1, 256])
async def test_folder_needs_an_id_of_its_own(
    client_of: ClientOf, alice: Account, folder_id: int
) -> None:
    """The list of all chats and the archive are not to be replaced."""
    client = await client_of(alice)

    with pytest.raises(errors.FilterIdInvalidError):
        await client(functions.messages.UpdateDialogFilterRequest(folder_id, folder(contacts=True)))


async def test_empty_folder_is_refused(client_of: ClientOf, alice: Account) -> None:
    """A folder without chats and kinds would show nothing."""
    client = await client_of(alice)

    with pytest.raises(errors.FilterIncludeEmptyError):
        await client(functions.messages.UpdateDialogFilterRequest(2, folder()))


async def test_folder_can_be_removed(client_of: ClientOf, alice: Account) -> None:
    """Without a folder in the request, the one with that id goes."""
    client = await client_of(alice)
    await client(functions.messages.UpdateDialogFilterRequest(2, folder(contacts=True)))

    await client(functions.messages.UpdateDialogFilterRequest(2))

    listed = await client(functions.messages.GetDialogFiltersRequest())
    assert [type(each) for each in listed.filters] == [types.DialogFilterDefault]


async def test_reaction_is_seen_by_both(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A reaction is a hidden edit on both sides; taking it back is another."""
    mine, theirs = await client_of(alice), await client_of(bob)
    seen: list[types.Message] = []
    theirs.add_event_handler(lambda event: seen.append(event.message), events.MessageEdited())
    await theirs(functions.contacts.ResolvePhoneRequest(alice.phone))
    sent = await theirs.send_message(await theirs.get_input_entity(alice.id), "ready?")
    (message,) = await received(mine, bob)

    peer = await mine.get_input_entity(bob.id)
    await mine(functions.messages.SendReactionRequest(peer, message.id, reaction=[THUMB]))
    await eventually(lambda: len(seen) == 1)
    await mine(functions.messages.SendReactionRequest(peer, message.id, reaction=[]))
    await eventually(lambda: len(seen) == 2)

    given, taken = seen
    assert (given.id, given.edit_hide) == (sent.id, True)
    (reaction,) = given.reactions.recent_reactions
    assert (reaction.peer_id.user_id, reaction.reaction.emoticon) == (alice.id, "👍")
    assert taken.reactions is None


async def received(client: TelegramClient, sender: Account) -> list[types.Message]:
    await client.get_dialogs()
    found: list[types.Message] = await client.get_messages(sender.id, limit=5)
    return found
