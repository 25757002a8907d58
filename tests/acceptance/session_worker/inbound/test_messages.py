"""What people write in private chats arrives in Planfix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.session_worker.inbound.bench import CONTACT, PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.bench import Bench


async def test_a_text_arrives_with_its_author(bench: Bench) -> None:
    """A private message becomes one newMessage with all that is known of its author."""
    bench.write("hello <b>&amp;</b>")

    await bench.until_texts("hello <b>&amp;</b>")
    (call,) = bench.calls("newMessage")
    assert call == {
        "cmd": "newMessage",
        "providerId": "telegram",
        "planfix_token": "key",
        "channel": PHONE,
        "chatId": f"{PHONE}_{bench.contact.id}",
        "message": "hello <b>&amp;</b>",
        "title": "Taras Melnyk",
        "contactId": str(bench.contact.id),
        "contactName": "Taras",
        "contactLastName": "Melnyk",
        "contactPhone": CONTACT,
        "contactData": "https://t.me/taras_m",
        "telegramUserName": "taras_m",
        "telegramUserId": str(bench.contact.id),
    }


async def test_a_title_is_sent_only_while_there_is_no_task(bench: Bench) -> None:
    """The second message carries no title; the task is asked for no more than twice."""
    for count in range(4):
        bench.write(f"{count}")

    await bench.until_texts("0", "1", "2", "3")
    assert [bool(message.title) for message in bench.told] == [True, False, False, False]
    assert len(bench.calls("getTask")) == 2
    assert bench.desk.chats[bench.contact.id].task == bench.told[0].task


async def test_what_the_owner_writes_elsewhere_is_an_echo(bench: Bench) -> None:
    """A message from the owner's own phone names the other person, says that it is ours."""
    bench.write("I call you back", sender=bench.me)

    await bench.until_texts("I call you back")
    (call,) = bench.calls("newMessage")
    assert (call["isEcho"], call["userEmail"]) == ("true", "boss@acme.ua")
    assert call["contactName"] == "Taras"


async def test_a_reply_quotes_what_it_replies_to(bench: Bench) -> None:
    """The line replied to stands as a quote above the reply."""
    question = bench.write("How much?", sender=bench.me)
    bench.write("Ten", reply_to=question.message.content)

    await bench.until_texts("How much?", ">> How much?\nTen")


async def test_a_reply_to_an_old_message_is_looked_up(idle: Bench) -> None:
    """A message from before our time is quoted too."""
    question = idle.write("Long ago", sender=idle.me)
    await idle.start()

    idle.write("Yes", reply_to=question.message.content)

    await idle.until_texts(">> Long ago\nYes")


async def test_a_forward_names_its_author(bench: Bench) -> None:
    """A forwarded message says from whom it is, also when that person hides."""
    date = bench.write("first").message.content.date
    known = types.MessageFwdHeader(date, from_id=types.PeerUser(bench.other.id))
    hidden = types.MessageFwdHeader(date, from_name="Masked")
    bench.write("second", forward=known)
    bench.write("third", forward=hidden)

    await bench.until_texts(
        "first", "Forwarded from Ivan:\nsecond", "Forwarded from Masked:\nthird"
    )


async def test_an_edit_arrives_as_a_line(bench: Bench) -> None:
    """Who changes a message is seen to have changed it; a change back and forth is two lines."""
    posted = bench.write("tne")
    await bench.until_texts("tne")

    bench.centre.post_office.edit(bench.contact, posted.message.id, "ten")

    await bench.until_texts("tne", "Edited: ten")


async def test_a_deletion_arrives_as_a_line(bench: Bench) -> None:
    """A deleted message is told with its text."""
    posted = bench.write("secret")
    await bench.until_texts("secret")

    bench.centre.post_office.delete(bench.contact, [posted.message.id], for_all=True)

    await bench.until_texts("secret", "Message deleted: secret")
    assert not bench.told[1].is_echo


async def test_a_deletion_after_a_restart_still_finds_its_chat(bench: Bench) -> None:
    """The chat of a message outlives the process, its text does not."""
    posted = bench.write("mine", sender=bench.me)
    await bench.until_texts("mine")
    await bench.until_settled()
    await bench.kill()
    await bench.start_again()

    bench.centre.post_office.delete(bench.me, [posted.message.id], for_all=True)

    await bench.until_texts("mine", "Message deleted")
    assert bench.told[1].is_echo


async def test_a_deletion_in_several_chats_is_told_in_each(bench: Bench) -> None:
    """One update about two chats becomes a line in both."""
    for person in (bench.contact, bench.other):
        bench.write(f"from {person.first_name}", sender=person)
    await eventually(lambda: len(bench.told) == 2)

    ids = [message.id for message in bench.me.box]
    bench.centre.post_office.delete(bench.me, ids, for_all=False)

    await eventually(lambda: len(bench.told) == 4)
    assert {(m.chat_id.split("_")[1], m.text) for m in bench.told[2:]} == {
        (str(bench.contact.id), "Message deleted: from Taras"),
        (str(bench.other.id), "Message deleted: from Ivan"),
    }
    await bench.until_settled()


async def test_a_missed_call_arrives(bench: Bench) -> None:
    """A call nobody took is a message of its own."""
    action = types.MessageActionPhoneCall(1, reason=types.PhoneCallDiscardReasonMissed())
    bench.write(action=action)

    await bench.until_texts("Missed call")


async def test_places_cards_polls_dice_are_readable(bench: Bench) -> None:
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
        bench.write(media=media)

    link = "[ https://maps.google.com/?q=50.450000,30.500000 ]"
    await bench.until_texts(
        f"Location: 50.450000, 30.500000 {link}",
        "Contact: Anna B, +380440000000",
        "Poll: Tea?\n- yes\n- no",
        "Dice: 🎲 4",
    )


async def test_nobody_hears_of_ignored_chats(bench: Bench) -> None:
    """Saved Messages, Telegram itself, Planfix's bot, groups are none of Planfix's business."""
    office, centre = bench.centre.post_office, bench.centre
    bot = centre.add_account("380000000001", "Planfix", username="Planfix_Bot", bot=True)
    group, _ = centre.groups.create(bench.contact, "Team", [bench.me])
    bench.write("code 12345", sender=centre.accounts.service)
    bench.write("task changed", sender=bot)
    office.send(bench.me, bench.me, Draft("note to myself"))
    office.send(bench.contact, group, Draft("to all"))
    bench.write("to you")

    await bench.until_texts("to you")
    await bench.until_settled()


async def test_reading_is_told(bench: Bench) -> None:
    """The contact's reading arrives with the newest message read."""
    posted = bench.write("read me", sender=bench.me)
    await bench.until_texts("read me")

    bench.centre.post_office.read(bench.contact, bench.me)

    await eventually(lambda: bench.desk.reads)
    (read,) = bench.desk.reads
    assert (read.peer_id, read.up_to) == (bench.contact.id, posted.message.id)
    await bench.until_settled()


async def test_a_new_name_reaches_the_contact_card(bench: Bench) -> None:
    """A contact who changes is renewed in Planfix before the next message."""
    bench.write("one")
    await bench.until_texts("one")
    assert bench.calls("updateContact") == []

    bench.contact.first_name = "Tarasyk"
    bench.write("two", media=types.MessageMediaDice(1, "🎲"))

    await eventually(lambda: len(bench.told) == 2)
    (call,) = bench.calls("updateContact")
    assert (call["contactId"], call["contactName"]) == (str(bench.contact.id), "Tarasyk")
