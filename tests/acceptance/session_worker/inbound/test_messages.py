"""What people write in private chats arrives in Planfix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import method_fault
from tests.acceptance.session_worker.inbound.inbound_number import CONTACT, PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


async def test_a_text_arrives_with_its_author(inbound: InboundNumber) -> None:
    """A private message becomes one newMessage with all that is known of its author."""
    inbound.write("hello <b>&amp;</b>")

    await inbound.until_texts("hello <b>&amp;</b>")
    (call,) = inbound.calls("newMessage")
    assert call == {
        "cmd": "newMessage",
        "providerId": "telegram",
        "planfix_token": "key",
        "channel": PHONE,
        "chatId": f"{PHONE}_{inbound.contact.id}",
        "message": "hello <b>&amp;</b>",
        "title": "Taras Melnyk",
        "contactId": str(inbound.contact.id),
        "contactName": "Taras",
        "contactLastName": "Melnyk",
        "contactPhone": CONTACT,
        "contactData": "https://t.me/taras_m",
        "telegramUserName": "taras_m",
        "telegramUserId": str(inbound.contact.id),
    }


async def test_a_title_is_sent_only_while_there_is_no_task(inbound: InboundNumber) -> None:
    """The second message carries no title; the task is asked for no more than twice."""
    for count in range(4):
        inbound.write(f"{count}")

    await inbound.until_texts("0", "1", "2", "3")
    assert [bool(message.title) for message in inbound.told] == [True, False, False, False]
    assert len(inbound.calls("getTask")) == 2
    assert inbound.recorder.chats[inbound.contact.id].task == inbound.told[0].task


async def test_what_the_owner_writes_elsewhere_is_an_echo(inbound: InboundNumber) -> None:
    """A message from the owner's own phone names the other person, says that it is ours."""
    inbound.write("I call you back", sender=inbound.me)

    await inbound.until_texts("I call you back")
    (call,) = inbound.calls("newMessage")
    assert (call["isEcho"], call["userEmail"]) == ("true", "boss@acme.ua")
    assert call["contactName"] == "Taras"


async def test_a_reply_quotes_what_it_replies_to(inbound: InboundNumber) -> None:
    """The line replied to stands as a quote above the reply."""
    question = inbound.write("How much?", sender=inbound.me)
    inbound.write("Ten", reply_to=question.message.content)

    await inbound.until_texts("How much?", ">> How much?\nTen")


async def test_a_reply_to_an_old_message_is_looked_up(idle: InboundNumber) -> None:
    """A message from before our time is quoted too."""
    question = idle.write("Long ago", sender=idle.me)
    await idle.start()

    idle.write("Yes", reply_to=question.message.content)

    await idle.until_texts(">> Long ago\nYes")


async def test_a_reply_waits_no_hours_for_its_quote(idle: InboundNumber) -> None:
    """If Telegram wants a pause of hours before it shows an old message, the reply goes without it."""
    question = idle.write("Long ago", sender=idle.me)
    fault = method_fault("FLOOD_WAIT_18000", method="messages.GetMessagesRequest")
    idle.centre.faults.fail(fault)
    await idle.start()

    idle.write("Yes", reply_to=question.message.content)

    await idle.until_texts("Yes")


async def test_a_forward_names_its_author(inbound: InboundNumber) -> None:
    """A forwarded message says from whom it is, also when that person hides."""
    date = inbound.write("first").message.content.date
    known = types.MessageFwdHeader(date, from_id=types.PeerUser(inbound.other.id))
    hidden = types.MessageFwdHeader(date, from_name="Masked")
    inbound.write("second", forward=known)
    inbound.write("third", forward=hidden)

    await inbound.until_texts(
        "first", "Forwarded from Ivan:\nsecond", "Forwarded from Masked:\nthird"
    )


async def test_an_edit_arrives_as_a_line(inbound: InboundNumber) -> None:
    """Who changes a message is seen to have changed it; a change back and forth is two lines."""
    posted = inbound.write("tne")
    await inbound.until_texts("tne")

    inbound.centre.message_actions.edit(inbound.contact, posted.message.id, Draft("ten"))

    await inbound.until_texts("tne", "Edited: ten")


async def test_a_deletion_arrives_as_a_line(inbound: InboundNumber) -> None:
    """A deleted message is told with its text."""
    posted = inbound.write("secret")
    await inbound.until_texts("secret")

    inbound.centre.message_actions.delete(inbound.contact, [posted.message.id], for_all=True)

    await inbound.until_texts("secret", "Message deleted: secret")
    assert not inbound.told[1].is_echo


async def test_a_deletion_after_a_restart_still_finds_its_chat(inbound: InboundNumber) -> None:
    """The chat of a message outlives the process, its text does not."""
    posted = inbound.write("mine", sender=inbound.me)
    await inbound.until_texts("mine")
    await inbound.until_settled()
    await inbound.kill()
    await inbound.start_again()

    inbound.centre.message_actions.delete(inbound.me, [posted.message.id], for_all=True)

    await inbound.until_texts("mine", "Message deleted")
    assert inbound.told[1].is_echo


async def test_a_deletion_in_several_chats_is_told_in_each(inbound: InboundNumber) -> None:
    """One update about two chats becomes a line in both."""
    for person in (inbound.contact, inbound.other):
        inbound.write(f"from {person.first_name}", sender=person)
    await eventually(lambda: len(inbound.told) == 2)

    ids = [message.id for message in inbound.me.box]
    inbound.centre.message_actions.delete(inbound.me, ids, for_all=False)

    await eventually(lambda: len(inbound.told) == 4)
    assert {(m.chat_id.split("_")[1], m.text) for m in inbound.told[2:]} == {
        (str(inbound.contact.id), "Message deleted: from Taras"),
        (str(inbound.other.id), "Message deleted: from Ivan"),
    }
    await inbound.until_settled()


async def test_a_reaction_arrives_as_a_line(inbound: InboundNumber) -> None:
    """Who reacts to a message is told with it, once; so is taking the reaction back."""
    posted = inbound.write("ready?", sender=inbound.me)
    await inbound.until_texts("ready?")
    office, copies = inbound.centre.message_actions, posted.message.content.copies
    thumb = (types.ReactionEmoji("👍"),)

    office.react(inbound.contact, copies[inbound.contact.id], thumb)
    await inbound.until_texts("ready?", ">> ready?\nReaction: 👍")
    office.edit(inbound.me, posted.message.id, Draft("all ready?"))
    edit = "Edited: all ready?"
    await inbound.until_texts("ready?", ">> ready?\nReaction: 👍", edit)
    office.react(inbound.contact, copies[inbound.contact.id], ())

    removed = ">> all ready?\nReaction removed"
    await inbound.until_texts("ready?", ">> ready?\nReaction: 👍", edit, removed)
    assert [message.is_echo for message in inbound.told] == [True, False, True, False]


async def test_own_reaction_is_an_echo(inbound: InboundNumber) -> None:
    """The owner's reaction on another device is told as the owner's."""
    posted = inbound.write("fine")
    await inbound.until_texts("fine")
    own = posted.message.content.copies[inbound.me.id]

    inbound.centre.message_actions.react(inbound.me, own, (types.ReactionCustomEmoji(5),))

    await inbound.until_texts("fine", ">> fine\nReaction: a picture of their own")
    assert inbound.told[1].is_echo


async def test_a_missed_call_arrives(inbound: InboundNumber) -> None:
    """A call nobody took is a message of its own."""
    action = types.MessageActionPhoneCall(1, reason=types.PhoneCallDiscardReasonMissed())
    inbound.write(action=action)

    await inbound.until_texts("Missed call")


async def test_places_cards_polls_dice_are_readable(inbound: InboundNumber) -> None:
    """Media without a file arrive as text."""
    point = types.GeoPoint(long=30.5, lat=50.45, access_hash=0)
    question = types.TextWithEntities("Tea?", [])
    answers = [types.PollAnswer(types.TextWithEntities(text, []), b"0") for text in ("yes", "no")]
    poll = types.Poll(1, question, answers, hash=0)
    for media in (
        types.MessageMediaGeo(point),
        types.MessageMediaContact("380440000000", "Anna", "B", "", 0),
        types.MessageMediaPoll(poll, types.PollResults()),
        types.MessageMediaDice(4, "🎲"),
    ):
        inbound.write(media=media)

    link = "[ https://maps.google.com/?q=50.450000,30.500000 ]"
    await inbound.until_texts(
        f"Location: 50.450000, 30.500000 {link}",
        "Contact: Anna B, +380440000000",
        "Poll: Tea?\n- yes\n- no",
        "Dice: 🎲 4",
    )


async def test_nobody_hears_of_ignored_chats(inbound: InboundNumber) -> None:
    """Saved Messages, Telegram itself, Planfix's bot, groups are none of Planfix's business."""
    office, centre = inbound.centre.message_actions, inbound.centre
    bot = centre.accounts.add_bot("Planfix_Bot", "Planfix")
    group, _ = centre.groups.create(inbound.contact, "Team", [inbound.me])
    centre.bots.start(inbound.me, bot)
    inbound.write("code 12345", sender=centre.accounts.service)
    inbound.write("task changed", sender=bot)
    office.send(inbound.me, inbound.me, Draft("note to myself"))
    office.send(inbound.contact, group, Draft("to all"))
    inbound.write("to you")

    await inbound.until_texts("to you")
    await inbound.until_settled()


async def test_reading_is_told(inbound: InboundNumber) -> None:
    """The contact's reading arrives with the newest message read."""
    posted = inbound.write("read me", sender=inbound.me)
    await inbound.until_texts("read me")

    inbound.centre.message_actions.read(inbound.contact, inbound.me)

    await eventually(lambda: inbound.recorder.reads)
    (read,) = inbound.recorder.reads
    assert (read.peer_id, read.up_to) == (inbound.contact.id, posted.message.id)
    await inbound.until_settled()


async def test_a_new_name_reaches_the_contact_card(inbound: InboundNumber) -> None:
    """A contact who changes is renewed in Planfix before the next message."""
    inbound.write("one")
    await inbound.until_texts("one")
    assert inbound.calls("updateContact") == []

    inbound.contact.first_name = "Tarasyk"
    inbound.write("two", media=types.MessageMediaDice(1, "🎲"))

    await eventually(lambda: len(inbound.told) == 2)
    (call,) = inbound.calls("updateContact")
    assert (call["contactId"], call["contactName"]) == (str(inbound.contact.id), "Tarasyk")
