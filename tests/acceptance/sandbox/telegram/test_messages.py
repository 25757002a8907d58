"""Private text messages between accounts, with the sessions they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import errors, events, functions
from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import address, hear, texts
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw


async def test_text_goes_both_ways(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Each side hears what the other wrote, once, with its sender."""
    hers, his = await client_of(alice), await client_of(bob)
    she_heard, he_heard = await hear(hers), await hear(his)

    await hers.send_message(address(alice, bob), "ping")
    await eventually(lambda: he_heard, awaited="ping")
    await he_heard[0].reply("pong")

    await eventually(lambda: texts(she_heard) == ["pong"], awaited="pong")
    assert texts(he_heard) == ["ping"]
    assert (await he_heard[0].get_sender()).first_name == "Alice"
    assert (await she_heard[0].message.get_reply_message()).raw_text == "ping"


async def test_formatting_is_kept(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Entities arrive as they were sent."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)

    await hers.send_message(address(alice, bob), "a **bold** word", parse_mode="md")

    await eventually(lambda: heard, awaited="the message")
    assert heard[0].message.entities == [types.MessageEntityBold(2, 4)]


async def test_owner_hears_other_devices(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A message is echoed to the writer's other sessions, not to the one that sent it."""
    here, there = await client_of(alice), await client_of(alice)
    heard_here, heard_there = await hear(here), await hear(there)

    await here.send_message(address(alice, bob, login=1), "mine")
    await there.send_message(address(alice, bob, login=2), "also mine")

    await eventually(lambda: heard_there and heard_here, awaited="both echoes")
    assert (texts(heard_here), texts(heard_there)) == (["also mine"], ["mine"])
    assert heard_there[0].out


async def test_saved_messages_are_one_copy(client_of: ClientOf, alice: Account) -> None:
    """Writing to oneself keeps one message."""
    client = await client_of(alice)

    await client.send_message("me", "note")

    assert [m.content.text for m in alice.box] == ["note"]


async def test_edit_reaches_the_other_side(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An edit changes both copies; only the author may make one."""
    hers, his = await client_of(alice), await client_of(bob)
    edits = await hear(his, events.MessageEdited())
    sent = await hers.send_message(address(alice, bob), "old")

    await hers.edit_message(address(alice, bob), sent.id, "new")

    await eventually(lambda: texts(edits) == ["new"], awaited="the edit")
    assert edits[0].message.edit_date
    with pytest.raises(errors.MessageNotModifiedError):
        await hers.edit_message(address(alice, bob), sent.id, "new")
    with pytest.raises(errors.MessageAuthorRequiredError):
        await his.edit_message(address(bob, alice), edits[0].id, "forged")


async def test_delete_for_both(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A revoked message leaves both boxes; without revoke only the own one."""
    hers, his = await client_of(alice), await client_of(bob)
    deleted = await hear(his, events.MessageDeleted())
    kept = await hers.send_message(address(alice, bob), "kept by him")
    gone = await hers.send_message(address(alice, bob), "gone for both")

    await hers.delete_messages(None, [kept.id], revoke=False)
    await hers.delete_messages(None, [gone.id])

    await eventually(lambda: deleted, awaited="the deletion")
    assert [m.content.text for m in bob.box] == ["kept by him"]
    assert len(alice.box) == 0


async def test_read_receipts_go_both_ways(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Reading tells the writer, and the reader's other devices."""
    hers, his_other, his = await client_of(alice), await client_of(bob), await client_of(bob)
    receipts = await hear(hers, events.MessageRead())
    elsewhere = await hear(his_other, events.MessageRead(inbox=True))
    sent = await hers.send_message(address(alice, bob), "read me")

    await his.send_read_acknowledge(address(bob, alice))

    await eventually(lambda: receipts and elsewhere, awaited="both receipts")
    assert receipts[0].is_read(sent)
    assert bob.box.conversation(alice.id).unread == 0


async def test_typing_is_seen(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Typing shows on the other side."""
    hers, his = await client_of(alice), await client_of(bob)
    seen = await hear(his, events.UserUpdate())

    await hers(
        functions.messages.SetTypingRequest(address(alice, bob), types.SendMessageTypingAction())
    )

    await eventually(lambda: any(event.typing for event in seen), awaited="typing")


async def test_repeated_random_id_is_the_same_message(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A request sent again returns the original message."""
    client = await client_of(alice)
    request = functions.messages.SendMessageRequest(address(alice, bob), "once", random_id=7)

    first = await client(request)
    second = await client(request)

    assert [m.content.text for m in bob.box] == ["once"]
    assert second.updates[0] == types.UpdateMessageID(first.id, 7)


async def test_strict_server_refuses_a_repeat(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """A strict server answers a repeat with RANDOM_ID_DUPLICATE."""
    raw = await connect_raw(alice)
    request = functions.messages.SendMessageRequest(address(alice, bob), "once", random_id=7)
    await raw.answer_to(raw.send(request))
    data_centre.afflict(Kind.STRICT_RANDOM_ID, alice.phone)

    refused = await raw.answer_to(raw.send(request))

    assert refused.error == types.RpcError(500, "RANDOM_ID_DUPLICATE")


@pytest.mark.parametrize(
    ("text", "error"),
    [(" ", errors.MessageEmptyError), ("x" * 4097, errors.MessageTooLongError)],
)
async def test_unfit_text_is_refused(
    client_of: ClientOf, alice: Account, bob: Account, text: str, error: type[Exception]
) -> None:
    """Telegram takes from 1 to 4096 characters."""
    client = await client_of(alice)

    with pytest.raises(error):
        await client(functions.messages.SendMessageRequest(address(alice, bob), text))


async def test_access_hash_is_per_viewer(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """With another account's hash a user is empty, can't be written to."""
    client = await client_of(alice)
    wrong = types.InputPeerUser(bob.id, address(bob, alice).access_hash)

    with pytest.raises(errors.PeerIdInvalidError):
        await client(functions.messages.SendMessageRequest(wrong, "hi"))

    user = types.InputUser(bob.id, wrong.access_hash)
    assert await client(functions.users.GetUsersRequest([user])) == [types.UserEmpty(bob.id)]


async def test_access_hash_is_per_login(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Another login of the same account names people by other hashes, in answers as in updates."""
    before, after = await client_of(alice), await client_of(alice)
    heard = await hear(after)
    old, new = await before.get_input_entity("bobby"), await after.get_input_entity("bobby")
    his = await client_of(bob)

    with pytest.raises(errors.PeerIdInvalidError):
        await after(functions.messages.SendMessageRequest(old, "stale"))
    await after(functions.messages.SendMessageRequest(new, "fresh"))
    await his.send_message(address(bob, alice), "hello")
    await eventually(lambda: heard, awaited="the answer")

    assert (await heard[0].get_input_sender()).access_hash == new.access_hash
    assert new.access_hash != old.access_hash


async def test_full_user_is_told(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Whoever may address a user may look at the profile."""
    client = await client_of(alice)

    full = await client(functions.users.GetFullUserRequest(address(alice, bob)))

    assert full.users[0].username == "bobby"


async def test_service_message_is_no_text(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A missed call comes as an action."""
    client = await client_of(alice)
    raw = await hear(client, events.Raw(types.UpdateNewMessage))
    missed = types.MessageActionPhoneCall(5, reason=types.PhoneCallDiscardReasonMissed())

    data_centre.message_actions.send(bob, alice, Draft(action=missed))

    await eventually(lambda: raw, awaited="the call")
    assert raw[0].message.action.reason == missed.reason


async def test_long_answers_are_compressed(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A long result comes whole through compression."""
    client = await client_of(alice)
    for number in range(100):
        data_centre.message_actions.send(bob, alice, Draft(f"message {number}"))

    found = await client.get_messages(address(alice, bob), ids=list(range(1, 102)))

    assert [m.raw_text for m in found[:100]] == [f"message {n}" for n in range(100)]
    assert found[100] is None
