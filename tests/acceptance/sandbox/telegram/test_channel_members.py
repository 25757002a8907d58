"""Who makes a channel, joins it, leaves it, may do what in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, events, functions
from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.sandbox.telegram.client_events import (
    address,
    hear,
    input_channel,
    input_peer_channel,
    texts,
)
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.records.chats import Channel
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def test_owner_makes_a_channel_with_people(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A channel made by a client is its owner's; whoever is invited is told of it."""
    owner, invited = await client_of(alice), await client_of(bob)
    heard = await hear(invited, events.Raw(types.UpdateChannel))

    made = await owner(functions.channels.CreateChannelRequest("Mine", "", megagroup=True))
    chat = made.chats[0]
    await owner(functions.channels.InviteToChannelRequest(chat, [address(alice, bob)]))
    await eventually(lambda: heard, awaited="the news of the channel")
    full = await owner(functions.channels.GetFullChannelRequest(chat))
    people = await owner.get_participants(chat)

    assert (chat.title, chat.megagroup, chat.creator) == ("Mine", True, True)
    assert heard[0].channel_id == chat.id
    assert full.full_chat.participants_count == 2
    assert [person.id for person in people] == [alice.id, bob.id]


async def test_people_join_a_public_channel_then_leave(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account
) -> None:
    """A public channel may be joined; who has left hears nothing of it any more."""
    channel, _ = data_centre.channels.create(alice, "Open", broadcast=False, public=True)
    client, request = await client_of(bob), input_channel(bob, channel)
    heard = await hear(client)

    await client(functions.channels.JoinChannelRequest(request))
    data_centre.channels.post(channel, alice, Draft("welcome"))
    left = await client(functions.channels.LeaveChannelRequest(request))
    data_centre.channels.post(channel, alice, Draft("unheard"))
    data_centre.message_actions.send(alice, bob, Draft("in private"))
    await eventually(lambda: len(heard) == 2, awaited="two messages")

    assert texts(heard) == ["welcome", "in private"]
    assert left.chats[0].left
    assert (await client(functions.channels.GetChannelsRequest([request]))).chats[0].left


async def test_wrong_requests_are_refused(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, news: Channel
) -> None:
    """Strangers, wrong hashes, readers who write, leavers who never came get their errors."""
    dave = data_centre.add_account("+380501110004", "Dave")
    stranger, reader, owner = [await client_of(a) for a in (dave, bob, alice)]
    opened, _ = data_centre.channels.create(alice, "Open", broadcast=True, public=True)
    leave, write = functions.channels.LeaveChannelRequest, functions.messages.SendMessageRequest
    refused: list[tuple[Any, Any, Callable[..., Any]]] = [
        (stranger, leave(input_channel(dave, news)), errors.ChannelPrivateError),
        (stranger, leave(input_channel(bob, news)), errors.ChannelInvalidError),
        (stranger, leave(input_channel(dave, opened)), errors.UserNotParticipantError),
        (reader, write(input_peer_channel(bob, news), "no"), errors.ChatWriteForbiddenError),
        (
            reader,
            functions.channels.GetParticipantsRequest(
                input_channel(bob, news), types.ChannelParticipantsRecent(), 0, 10, 0
            ),
            errors.ChatAdminRequiredError,
        ),
        (
            reader,
            functions.channels.DeleteMessagesRequest(input_channel(bob, news), [1]),
            errors.MessageDeleteForbiddenError,
        ),
        (owner, leave(input_channel(alice, news)), errors.UserCreatorError),
    ]

    for client, request, error in refused:
        with pytest.raises(error):  # type: ignore[call-overload]  # telethon is untyped
            await client(request)
