"""Basic groups: everybody's own copy of what is written, who is in, who is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, events, functions
from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.sandbox.telegram.client_events import address, hear, texts
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.records.chats import Group
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


@pytest.fixture
def carol(data_centre: DataCentre) -> Account:
    return data_centre.add_account("+380501110003", "Carol", username="carol")


@pytest.fixture
async def group(data_centre: DataCentre, alice: Account, bob: Account, carol: Account) -> Group:
    """Make a group of three that Alice owns."""
    return data_centre.groups.create(alice, "Three", [bob, carol])[0]


async def test_new_group_is_known_to_all(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Who makes a group gets it at once; who is put in hears of it by a service message."""
    maker, member = await client_of(alice), await client_of(bob)
    heard = await hear(member, events.ChatAction())

    made = await maker(functions.messages.CreateChatRequest([address(alice, bob)], "Pair"))
    await eventually(lambda: heard, awaited="the service message")

    chat = made.updates.chats[0]
    assert (chat.title, chat.participants_count, chat.creator) == ("Pair", 2, True)
    assert (heard[0].chat_id, heard[0].created, heard[0].new_title) == (-chat.id, True, "Pair")
    assert (await heard[0].get_chat()).title == "Pair"


async def test_message_reaches_all_members_and_own_devices(
    client_of: ClientOf, alice: Account, bob: Account, carol: Account, group: Group
) -> None:
    """Each member gets a group's message from its author; the author's other device an echo."""
    writer, device = await client_of(alice), await client_of(alice)
    ears = [await hear(client) for client in (await client_of(bob), await client_of(carol))]
    echo = await hear(device)
    await writer.get_dialogs()

    sent = await writer.send_message(group.id, "to all")
    await eventually(lambda: all(map(len, (*ears, echo))), awaited="three copies")

    for (event,) in ears:
        assert (event.chat_id, event.sender_id, event.raw_text) == (group.id, alice.id, "to all")
        assert not event.out
        assert event.is_group
    assert (echo[0].id, echo[0].out) == (sent.id, True)


async def test_repeated_random_id_posts_once(
    client_of: ClientOf, alice: Account, bob: Account, group: Group
) -> None:
    """The same random_id gives the message that it gave before."""
    client = await client_of(alice)
    request = functions.messages.SendMessageRequest(
        types.InputPeerChat(group.bare_id), "once", random_id=5
    )

    answers = [await client(request), await client(request)]

    assert len({update.id for a in answers for update in a.updates if hasattr(update, "id")}) == 1
    assert len(bob.box.conversation(group.id).ids) == 2


async def test_reply_edit_deletion_reach_every_copy(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """A member sees a reply to its own copy, then the edit, then the deletion."""
    # Bob's ids run ahead of Alice's.
    data_centre.message_actions.send(bob, bob, Draft("note"))
    reader, writer = await client_of(bob), await client_of(alice)
    heard = await hear(reader, events.NewMessage(), events.MessageEdited(), events.MessageDeleted())
    await writer.get_dialogs()

    first = await writer.send_message(group.id, "first")
    second = await writer.send_message(group.id, "second", reply_to=first)
    await writer.edit_message(group.id, second, "second, edited")
    await writer.delete_messages(group.id, [second])
    await eventually(lambda: len(heard) == 4, awaited="four events")

    assert texts(heard[:3]) == ["first", "second", "second, edited"]
    assert heard[0].id != first.id
    assert heard[1].message.reply_to_msg_id == heard[0].id
    assert heard[3].deleted_ids == [heard[1].id]


async def test_absent_member_catches_up(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """What is written to a group while a member is away comes with the account's difference."""
    client = await client_of(bob, catch_up=True)
    heard = await hear(client)
    await client.disconnect()
    for number in range(3):
        data_centre.message_actions.send(alice, group, Draft(str(number)))

    await client.connect()

    await eventually(lambda: len(heard) == 3, awaited="three messages")
    assert texts(heard) == ["0", "1", "2"]
    assert (await heard[0].get_chat()).title == "Three"


async def test_history_with_dialogs_show_the_group(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """A group is listed with its newest message, its history readable page by page."""
    for text in ("one", "two"):
        data_centre.message_actions.send(alice, group, Draft(text))
    client = await client_of(bob)

    dialog = (await client.get_dialogs())[0]
    history = await client.get_messages(group.id, limit=10)
    peer = types.InputDialogPeer(types.InputPeerChat(group.bare_id))
    single = await client(functions.messages.GetPeerDialogsRequest([peer]))

    assert (dialog.id, dialog.title, dialog.message.message) == (group.id, "Three", "two")
    assert dialog.unread_count == 3
    assert [m.message for m in history[:2]] == ["two", "one"]
    assert isinstance(history[2].action, types.MessageActionChatCreate)
    assert single.dialogs[0].unread_count == 3
    assert single.chats[0].title == "Three"


async def test_reading_a_group_tells_the_author(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """The author learns that one of the members has read, under the author's own id."""
    message = data_centre.message_actions.send(alice, group, Draft("read me")).message
    author, reader = await client_of(alice), await client_of(bob)
    heard = await hear(author, events.MessageRead())
    await reader.get_dialogs()

    await reader.send_read_acknowledge(group.id)
    await eventually(lambda: heard, awaited="the receipt")

    assert (heard[0].chat_id, heard[0].max_id) == (group.id, message.id)
    assert (await reader.get_dialogs())[0].unread_count == 0


async def test_members_come_then_go(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """A newcomer hears the group from the moment of joining, until put out."""
    dave = data_centre.add_account("+380501110004", "Dave")
    owner, newcomer = await client_of(alice), await client_of(dave)
    heard = await hear(newcomer, events.ChatAction(), events.NewMessage())
    chat_id, person = group.bare_id, address(alice, dave)

    await owner(functions.messages.AddChatUserRequest(chat_id, person, fwd_limit=0))
    data_centre.message_actions.send(bob, group, Draft("welcome"))
    await owner(functions.messages.DeleteChatUserRequest(chat_id, person))
    data_centre.message_actions.send(bob, group, Draft("unheard"))
    data_centre.message_actions.send(bob, dave, Draft("in private"))
    await eventually(lambda: len(heard) == 4, awaited="four events")

    assert heard[0].user_added
    assert heard[1].raw_text == "welcome"
    assert heard[2].user_kicked
    assert heard[3].raw_text == "in private"
    assert dave.id not in group.members


async def test_group_tells_its_members(
    client_of: ClientOf, alice: Account, bob: Account, carol: Account, group: Group
) -> None:
    """A member may ask for the group itself with everybody in it."""
    client = await client_of(bob)

    full = await client(functions.messages.GetFullChatRequest(group.bare_id))
    chats = await client(functions.messages.GetChatsRequest([group.bare_id]))

    listed = full.full_chat.participants.participants
    assert [p.user_id for p in listed] == [alice.id, bob.id, carol.id]
    assert isinstance(listed[0], types.ChatParticipantCreator)
    assert {user.id for user in full.users} == {alice.id, bob.id, carol.id}
    assert (chats.chats[0].title, chats.chats[0].creator) == ("Three", False)


async def test_media_reaches_a_group(
    client_of: ClientOf, alice: Account, bob: Account, group: Group
) -> None:
    """A file sent to a group is a file for every member."""
    writer, reader = await client_of(alice), await client_of(bob)
    heard = await hear(reader)
    await writer.get_dialogs()

    await writer.send_file(group.id, b"content", caption="a file")
    await eventually(lambda: heard, awaited="the file")

    assert heard[0].raw_text == "a file"
    assert await heard[0].download_media(bytes) == b"content"


async def test_who_left_may_read_but_not_write(
    client_of: ClientOf, bob: Account, alice: Account, group: Group
) -> None:
    """Who has left keeps the history, may neither write nor see the members."""
    client = await client_of(bob)
    peer = types.InputPeerChat(group.bare_id)

    await client.kick_participant(peer, "me")
    full = await client(functions.messages.GetFullChatRequest(group.bare_id))

    assert full.chats[0].left
    assert isinstance(full.full_chat.participants, types.ChatParticipantsForbidden)
    assert await client.get_messages(peer)
    with pytest.raises(errors.ChatWriteForbiddenError):
        await client.send_message(peer, "still here")


async def test_wrong_requests_are_refused(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, group: Group
) -> None:
    """Strangers, twofold members, plain members who put others out get their errors."""
    stranger = await client_of(data_centre.add_account("+380501110004", "Dave"))
    owner, member = await client_of(alice), await client_of(bob)
    put_out = functions.messages.DeleteChatUserRequest
    refused: list[tuple[Any, Any, str]] = [
        (stranger, functions.messages.GetFullChatRequest(group.bare_id), "CHAT_ID_INVALID"),
        (
            owner,
            functions.messages.AddChatUserRequest(group.bare_id, address(alice, bob), 0),
            "USER_ALREADY_PARTICIPANT",
        ),
        (member, put_out(group.bare_id, address(bob, alice)), "CHAT_ADMIN_REQUIRED"),
        (
            owner,
            put_out(group.bare_id, address(alice, data_centre.account_of("380501110004"))),
            "USER_NOT_PARTICIPANT",
        ),
        (owner, functions.messages.CreateChatRequest([], " "), "CHAT_TITLE_EMPTY"),
    ]

    for client, request, message in refused:
        with pytest.raises(errors.RPCError) as refusal:
            await client(request)
        name = type(refusal.value).__name__
        assert name == errors.rpcerrorlist.rpc_errors_dict[message].__name__
