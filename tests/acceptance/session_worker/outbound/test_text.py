"""Texts of employees in Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.tl import types

from session_worker.formatting.plan import LONGEST_TEXT
from session_worker.protocol.messages import PartSent, Trying
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.outbound.mail import Mail


async def test_text_arrives(mail: Mail, taras: Account) -> None:
    """A text is sent under its random id; the ids it got are reported after the try began."""
    order = mail.begin(taras, "Hello 😀")

    await mail.until_done(order)

    (sent,) = mail.box(taras.id)
    assert sent.text == "Hello 😀"
    assert sent.message.random_id == order.outgoing.parts[0].random_ids[0]
    told = [e for e in mail.number.memory.events if isinstance(e, (Trying, PartSent))]
    assert told == [
        Trying(row=order.row),
        PartSent(row=order.row, part=0, message_ids=(sent.message.id,)),
    ]


async def test_long_text_arrives_whole(mail: Mail, taras: Account) -> None:
    """A text over the limit comes as several messages that hold every word, in order."""
    text = " ".join(f"word{n}" for n in range(1300))

    sent = await mail.send(taras, text)

    assert len(sent) == 3
    assert all(len(each.text) <= LONGEST_TEXT for each in sent)
    assert " ".join(each.text for each in sent) == text


async def test_links_quotes_styles_become_entities(mail: Mail, taras: Account) -> None:
    """Planfix's notation is shown the way Telegram does it."""
    (sent,) = await mail.send(taras, ">> asked\n>>\n😀 <b>see</b>: docs [ https://e.com/a ]")

    assert sent.text == "asked\n😀 see: docs"
    assert [(type(e), e.offset, e.length) for e in sent.entities] == [
        (types.MessageEntityBlockquote, 0, 5),
        (types.MessageEntityBold, 9, 3),
        (types.MessageEntityTextUrl, 14, 4),
    ]
    assert sent.entities[2].url == "https://e.com/a"


async def test_every_style_has_its_entity(mail: Mail, taras: Account) -> None:
    """All styles that may be left in a comment can be sent."""
    (sent,) = await mail.send(taras, "<b>a</b><i>b</i><u>c</u><s>d</s><code>e</code><pre>f</pre>")

    assert [type(entity) for entity in sent.entities] == [
        types.MessageEntityBold,
        types.MessageEntityItalic,
        types.MessageEntityUnderline,
        types.MessageEntityStrike,
        types.MessageEntityCode,
        types.MessageEntityPre,
    ]


async def test_order_is_kept_in_a_chat(mail: Mail, taras: Account) -> None:
    """What is handed over for one chat arrives in that order."""
    orders = [mail.begin(taras, str(n)) for n in range(20)]

    for order in orders:
        await mail.until_done(order)

    assert mail.texts(taras) == [str(n) for n in range(20)]


async def test_failed_try_holds_the_chat_back(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """A message that is tried again goes before those written after it."""
    telegram.fail("INTERNAL", method="messages.sendMessage", times=2)

    orders = [mail.begin(taras, text) for text in ("first", "second")]
    for order in orders:
        await mail.until_done(order)

    assert mail.texts(taras) == ["first", "second"]
    assert mail.codes(orders[0]) == ["INTERNAL", "INTERNAL"]
    assert mail.tries(orders[0]) == 3


async def test_chat_that_waits_holds_up_no_other(
    mail: Mail, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """While one chat waits for as long as Telegram says, others go on."""
    telegram.fail("FLOOD_WAIT_2", method="messages.sendMessage", times=1)

    waiting = mail.begin(taras, "later")
    await eventually(lambda: mail.codes(waiting))
    at_once = mail.begin(iryna, "now")
    await mail.until_done(at_once)

    assert not mail.is_sent(waiting)
    await mail.until_done(waiting)
    assert mail.texts(taras) == ["later"]
    assert mail.codes(waiting) == ["FLOOD_WAIT"]
    assert mail.codes(at_once) == []


async def test_next_try_is_kept_over_a_restart(mail: Mail, taras: Account) -> None:
    """A row that comes with a time in the future is not tried before."""
    order = mail.compose(taras, "later").model_copy(update={"next_try": 4_000_000_000.0})
    sooner = mail.compose(taras, "never before")

    mail.outbound.send(order)
    mail.outbound.send(sooner)
    await mail.send(mail.number.sandbox.account_of("380671112244"), "something else")

    assert mail.tries(order) == mail.tries(sooner) == 0


async def test_parts_sent_before_are_skipped(mail: Mail, taras: Account) -> None:
    """Of a row whose first part is marked as sent only the rest is sent."""
    order = mail.compose(taras, "word " * 1500)
    first, second = order.outgoing.parts
    outgoing = order.outgoing.model_copy(
        update={"parts": (first.model_copy(update={"sent": (7,)}), second)}
    )

    mail.outbound.send(order.model_copy(update={"outgoing": outgoing}))
    await eventually(lambda: mail.parts_sent(order))

    assert [event.part for event in mail.parts_sent(order)] == [1]
    assert len(mail.box(taras.id)) == 1


async def test_unknown_peer_is_told(mail: Mail) -> None:
    """Nobody without an access hash can be addressed; the row is given up."""
    order = mail.begin(4242, "who?")

    await mail.until_done(order)

    assert mail.codes(order) == ["PEER_ID_INVALID"]
