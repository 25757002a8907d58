"""Channels with supergroups: one box, one pts of their own, pushed to every member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon import events, functions
from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import (
    hear,
    input_channel,
    input_peer_channel,
    texts,
)
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.records.chats import Channel
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def difference(client: Any, viewer: Account, channel: Channel, pts: int, limit: int) -> Any:
    return await client(
        functions.updates.GetChannelDifferenceRequest(
            input_channel(viewer, channel), types.ChannelMessagesFilterEmpty(), pts, limit
        )
    )


async def test_post_reaches_members_without_its_author(
    client_of: ClientOf, alice: Account, bob: Account, news: Channel
) -> None:
    """A broadcast post comes in the channel's name; the owner's other device gets it too."""
    device, owner, reader = [await client_of(a) for a in (alice, alice, bob)]
    heard, echo = await hear(reader), await hear(device)

    sent = await owner.send_message(input_peer_channel(alice, news), "extra")
    await eventually(lambda: heard and echo, awaited="the post with its echo")

    event = heard[0]
    assert (event.chat_id, event.sender_id, event.raw_text) == (news.id, news.id, "extra")
    assert (event.id, event.message.post, event.out) == (sent.id, True, False)
    assert (await event.get_chat()).title == "News"
    assert (echo[0].id, echo[0].out) == (sent.id, True)


async def test_members_talk_in_a_supergroup(
    client_of: ClientOf, alice: Account, bob: Account, crowd: Channel
) -> None:
    """Everybody may write to a supergroup; replies, edits, deletions carry the shared ids."""
    writer, reader = await client_of(bob), await client_of(alice)
    heard = await hear(reader, events.NewMessage(), events.MessageEdited(), events.MessageDeleted())
    place = input_peer_channel(bob, crowd)

    first = await writer.send_message(place, "first")
    second = await writer.send_message(place, "second", reply_to=first)
    await writer.edit_message(place, second, "second, edited")
    await writer.delete_messages(place, [second])
    await eventually(lambda: len(heard) == 4, awaited="four events")

    assert texts(heard[:3]) == ["first", "second", "second, edited"]
    assert [(e.sender_id, e.is_group) for e in heard[:3]] == [(bob.id, True)] * 3
    assert heard[1].message.reply_to_msg_id == first.id
    assert (heard[3].chat_id, heard[3].deleted_ids) == (crowd.id, [second.id])


async def test_repeated_random_id_posts_once(
    client_of: ClientOf, alice: Account, crowd: Channel
) -> None:
    """The same random_id gives the message that it gave before."""
    client, before = await client_of(alice), crowd.conversation.top
    request = functions.messages.SendMessageRequest(
        input_peer_channel(alice, crowd), "once", random_id=5
    )

    answers = [await client(request), await client(request)]

    assert [a.updates[0].id for a in answers] == [before + 1] * 2
    assert crowd.conversation.top == before + 1


async def test_member_catches_up_after_a_cut(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, news: Channel
) -> None:
    """Catching up brings the posts of the time away from the channel's own difference."""
    client = await client_of(bob, catch_up=True)
    heard = await hear(client)
    data_centre.channels.post(news, alice, Draft("before"))
    await eventually(lambda: texts(heard) == ["before"], awaited="the live post")

    data_centre.afflict(Kind.DEAF, bob.phone)
    for number in range(150):
        data_centre.channels.post(news, alice, Draft(str(number)))
    data_centre.message_actions.send(alice, bob, Draft("in private"))
    data_centre.cut(bob.phone)
    data_centre.clear_faults()
    await client.get_me()
    await client.catch_up()

    await eventually(lambda: len(heard) == 152, awaited="the posts with the private message")
    posts = [event.raw_text for event in heard if event.is_channel]
    assert posts == ["before", *map(str, range(150))]
    assert "in private" in texts(heard)


async def test_restarted_client_catches_up(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, crowd: Channel
) -> None:
    """A client that comes back from its saved session asks for what the channel had meanwhile."""
    client = await client_of(bob, catch_up=True)
    heard = await hear(client)
    data_centre.channels.post(crowd, alice, Draft("before"))
    await eventually(lambda: texts(heard) == ["before"], awaited="the live post")
    await client.disconnect()
    data_centre.channels.post(crowd, alice, Draft("meanwhile"))

    await client.connect()

    await eventually(lambda: texts(heard) == ["before", "meanwhile"], awaited="the missed post")


async def test_difference_comes_in_slices(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, crowd: Channel
) -> None:
    """A channel's difference holds every kind of event up to the limit, then is empty."""
    client, start = await client_of(bob), crowd.log.pts
    one, two = (data_centre.channels.post(crowd, alice, Draft(t)).message for t in ("1", "2"))
    data_centre.channels.edit(crowd, alice, one.id, Draft("1, edited"))
    data_centre.channels.delete(crowd, alice, [two.id])

    first = await difference(client, bob, crowd, start, 1)
    rest = await difference(client, bob, crowd, first.pts, 100)
    nothing = await difference(client, bob, crowd, rest.pts, 100)

    assert ([m.message for m in first.new_messages], first.final) == (["1, edited"], False)
    assert [type(update) for update in rest.other_updates] == [
        types.UpdateEditChannelMessage,
        types.UpdateDeleteChannelMessages,
    ]
    assert (rest.final, rest.pts) == (True, crowd.log.pts)
    assert (rest.chats[0].title, rest.users[0].id) == ("Crowd", alice.id)
    assert isinstance(nothing, types.updates.ChannelDifferenceEmpty)


async def test_too_old_pts_gets_the_dialog(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, crowd: Channel
) -> None:
    """Who is behind what the channel remembers is told where it stands, with its latest posts."""
    client, start = await client_of(bob), crowd.log.pts
    for number in range(20):
        data_centre.channels.post(crowd, alice, Draft(str(number)))
    crowd.log.forget()

    told = await difference(client, bob, crowd, start, 100)

    assert isinstance(told, types.updates.ChannelDifferenceTooLong)
    # The invitation is unread too.
    assert (told.dialog.pts, told.dialog.unread_count) == (crowd.log.pts, 21)
    assert [m.message for m in told.messages] == [str(n) for n in range(19, 9, -1)]


async def test_history_with_dialogs_show_the_channel(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, news: Channel
) -> None:
    """A channel is listed with its newest post, its history readable page by page or by id."""
    for number in range(120):
        data_centre.channels.post(news, alice, Draft(str(number)))
    data_centre.message_actions.send(alice, bob, Draft("in private"))
    client = await client_of(bob)

    dialogs = {dialog.id: dialog for dialog in await client.get_dialogs()}
    history = await client.get_messages(news.id, limit=110)
    by_id = await client.get_messages(news.id, ids=[history[0].id, 9999])
    single = await client(
        functions.messages.GetPeerDialogsRequest(
            [types.InputDialogPeer(input_peer_channel(bob, news))]
        )
    )

    assert set(dialogs) == {news.id, alice.id}
    assert (dialogs[news.id].title, dialogs[news.id].message.message) == ("News", "119")
    assert (dialogs[news.id].unread_count, dialogs[news.id].dialog.pts) == (120, news.log.pts)
    assert [m.message for m in history] == [str(n) for n in range(119, 9, -1)]
    assert [m and m.message for m in by_id] == ["119", None]
    assert single.dialogs[0].top_message == history[0].id


async def test_many_chats_of_all_kinds_come_page_by_page(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account
) -> None:
    """Private chats, groups, channels are listed once each over several pages."""
    for number in range(45):
        person = data_centre.add_account(f"+38067000{number:04}", f"P{number}")
        data_centre.message_actions.send(person, bob, Draft("hi"))
        data_centre.groups.create(alice, f"G{number}", [bob])
        channel, _ = data_centre.channels.create(alice, f"C{number}", broadcast=True)
        data_centre.channels.invite(channel, alice, [bob])
    client = await client_of(bob)

    dialogs = await client.get_dialogs(limit=None)

    expected = {f"{kind}{number}" for kind in "PGC" for number in range(45)}
    assert len(dialogs) == 135
    assert {dialog.title for dialog in dialogs} == expected


async def test_reading_a_channel_reaches_other_devices(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, news: Channel
) -> None:
    """What one device has read is read on the others, without moving any pts."""
    post = data_centre.channels.post(news, alice, Draft("read me")).message
    device, reader = await client_of(bob), await client_of(bob)
    heard = await hear(device, events.MessageRead(inbox=True))
    before = (bob.log.pts, news.log.pts)

    await reader.send_read_acknowledge(input_peer_channel(bob, news))
    await eventually(lambda: heard, awaited="the receipt")

    assert (heard[0].chat_id, heard[0].max_id) == (news.id, post.id)
    assert (await device.get_dialogs())[0].unread_count == 0
    assert (bob.log.pts, news.log.pts) == before


async def test_private_messages_get_through_a_flood_of_posts(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, news: Channel
) -> None:
    """500 posts, with private messages in between, arrive whole without moving the account's pts."""
    client = await client_of(bob, sequential_updates=True)
    heard, start = await hear(client), bob.log.pts

    for number in range(500):
        data_centre.channels.post(news, alice, Draft(f"post {number}"))
        if number % 50 == 0:
            data_centre.message_actions.send(alice, bob, Draft(f"private {number}"))
    await eventually(lambda: len(heard) == 510, awaited="510 messages")

    private = [event.raw_text for event in heard if event.is_private]
    assert private == [f"private {number}" for number in range(0, 500, 50)]
    assert [e.raw_text for e in heard if e.is_channel] == [f"post {n}" for n in range(500)]
    assert bob.log.pts == start + 10
