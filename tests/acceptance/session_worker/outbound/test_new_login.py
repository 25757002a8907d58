"""Messages to people whom only an earlier login has met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.chats.message_actions import Draft
from session_worker.protocol.messages import Resolve
from session_worker.telegram.sending.recipient_search import RecipientSearch
from tests.acceptance.session_worker.conftest import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.outbound.outbound_number import OutboundNumber

MORE_THAN_A_PAGE = 130  # chats


@pytest.fixture
async def oleh(outbound: OutboundNumber, telegram: DataCentre) -> Account:
    """Give somebody whom the number has looked up, yet has no chat with."""
    met = telegram.add_account("380501230000", "Oleh", username="oleh_x")
    await _look_up(outbound, met)
    return met


@pytest.mark.parametrize("forgets", [True, False])
async def test_known_contacts_are_answered_after_a_new_login(
    outbound: OutboundNumber, taras: Account, iryna: Account, forgets: bool
) -> None:
    """The hashes of the last login are renewed, so each answer arrives at the first try, once."""
    await outbound.log_in_anew(forgets=forgets)
    orders = [outbound.begin(to, "good day") for to in (taras, iryna)]

    for order in orders:
        await outbound.until_done(order)

    assert [outbound.failures(order) for order in orders] == [[], []]
    assert [outbound.texts(to) for to in (taras, iryna)] == [["good day"], ["good day"]]


async def test_renewed_hash_is_kept(outbound: OutboundNumber, taras: Account) -> None:
    """The next worker needs no second renewal."""
    await outbound.log_in_anew(forgets=True)
    await outbound.send(taras, "first")

    await outbound.number.stop()
    await outbound.number.start_again()

    assert outbound.number.account.access_hash(taras.id) is not None


async def test_files_go_under_the_renewed_hash(outbound: OutboundNumber, taras: Account) -> None:
    """What was uploaded before Telegram refused the hash is sent once the hash is renewed."""
    await outbound.log_in_anew(forgets=False)

    sent = await outbound.send(taras, "look", a_pdf=b"a", b_pdf=b"b")

    assert [each.text for each in sent].count("look") == 1
    assert len([each for each in sent if each.media]) == 2


async def test_chat_far_down_the_list_is_found(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """The list of chats is gone through page by page."""
    number = telegram.account_of(PHONE)
    for place in range(MORE_THAN_A_PAGE):
        newer = telegram.add_account(f"3809900{place:05}", f"Contact {place}")
        telegram.message_actions.send(newer, number, Draft("hello"))
    await outbound.log_in_anew(forgets=True)

    await outbound.send(taras, "good day")

    assert outbound.texts(taras) == ["good day"]


@pytest.mark.parametrize("username", ["oleh_x", None])
async def test_person_without_a_chat_is_found_by_name_or_phone(
    outbound: OutboundNumber, telegram: DataCentre, oleh: Account, username: str | None
) -> None:
    """Whoever is in no chat is looked up by user name, else by phone."""
    telegram.accounts.rename(oleh, username)
    await _look_up(outbound, oleh)
    await outbound.log_in_anew(forgets=True)

    await outbound.send(oleh, "good day")

    assert outbound.texts(oleh) == ["good day"]


async def test_user_name_of_somebody_else_leads_nowhere(
    outbound: OutboundNumber, telegram: DataCentre, oleh: Account
) -> None:
    """A user name that has passed to another person is no way to the one who had it."""
    telegram.accounts.rename(oleh, None)
    oleh.phone_visible = False
    other = telegram.add_account("380501230009", "Other", username="oleh_x")
    await outbound.log_in_anew(forgets=True)

    order = outbound.begin(oleh, "for Oleh alone")
    await outbound.until_done(order)

    assert outbound.codes(order) == ["PEER_ID_INVALID"]
    assert outbound.texts(other) == []


async def test_wait_for_the_list_of_chats_is_no_last_word(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """While Telegram lets nobody look, the message waits."""
    await outbound.log_in_anew(forgets=False)
    telegram.fail("FLOOD_WAIT_1", method="messages.getDialogs", times=1)
    order = outbound.begin(taras, "good day")

    await outbound.until_done(order)

    assert outbound.codes(order) == ["FLOOD_WAIT"]
    assert outbound.texts(taras) == ["good day"]


async def test_one_look_renews_all(
    outbound: OutboundNumber, telegram: DataCentre, iryna: Account
) -> None:
    """Once the list of chats was read, nobody in it has to be looked for again."""
    await outbound.log_in_anew(forgets=True)
    await outbound.send(telegram.account_of("380671112233"), "first")
    telegram.fail("FLOOD_WAIT_600", method="messages.getDialogs")

    await outbound.send(iryna, "second")

    assert outbound.texts(iryna) == ["second"]


async def test_dead_letter_of_an_earlier_version_can_be_sent_again(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """What died of a stale hash arrives when it is sent again."""
    telegram.fail("PEER_ID_INVALID", method="messages.sendMessage", times=1)
    telegram.fail("CHAT_ID_INVALID", method="messages.getDialogs", times=1)
    order = outbound.begin(taras, "good day")
    await outbound.until_done(order)
    assert outbound.codes(order) == ["PEER_ID_INVALID"]

    await outbound.log_in_anew(forgets=False)
    again = outbound.replayed(order)
    outbound.outbound.send(again)

    await eventually(lambda: outbound.texts(taras) == ["good day"], awaited="the replayed message")


@pytest.mark.parametrize("forgets", [True, False])
async def test_known_id_is_resolved_after_a_new_login(
    outbound: OutboundNumber, taras: Account, forgets: bool
) -> None:
    """A first message may still name somebody by the id alone."""
    await outbound.log_in_anew(forgets=forgets)
    resolver = RecipientSearch(outbound.number.account, outbound.throttle, outbound.access_hashes)

    answer = await resolver.resolve(Resolve(request_id=1, user_id=taras.id))

    assert answer.contact is not None
    assert answer.contact.first_name == "Taras"


async def _look_up(outbound: OutboundNumber, who: Account) -> None:
    resolver = RecipientSearch(outbound.number.account, outbound.throttle, outbound.access_hashes)
    await resolver.resolve(Resolve(request_id=1, username=who.username, phone=who.phone))
    await eventually(
        lambda: any(
            each.peer_id == who.id and each.username == who.username
            for each in (outbound.number.memory.session and outbound.number.memory.session.entities)
            or ()
        ),
        awaited=f"{who.first_name} among the stored",
    )
