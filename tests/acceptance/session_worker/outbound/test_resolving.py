"""People who are written to for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.messages import Contact, Resolve, Resolved
from session_worker.telegram.sending.flood_control import FloodControl
from session_worker.telegram.sending.recipient_search import AccessHashes, RecipientSearch

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.number import Number
    from tests.acceptance.session_worker.outbound.outbound_number import OutboundNumber


def resolver_of(number: Number) -> RecipientSearch:
    throttle = FloodControl(number.account)
    return RecipientSearch(number.account, throttle, AccessHashes(number.account, throttle))


@pytest.fixture
async def resolver(number: Number) -> RecipientSearch:
    await number.start()
    return resolver_of(number)


async def resolve(
    resolver: RecipientSearch,
    user_id: int | None = None,
    username: str | None = None,
    phone: str | None = None,
) -> Resolved:
    order = Resolve(request_id=7, user_id=user_id, username=username, phone=phone)
    answer = await resolver.resolve(order)
    assert answer.request_id == 7
    return answer


def code_of(answer: Resolved) -> str | None:
    assert answer.contact is None
    return answer.failure.code if answer.failure else None


@pytest.mark.parametrize(
    "username",
    ["taras_m", "@taras_m", "TARAS_M", " taras_m ", "https://t.me/taras_m", "t.me/taras_m/"],
)
async def test_person_is_found_by_user_name(
    resolver: RecipientSearch, taras: Account, username: str
) -> None:
    """A user name is understood however it is written; name, phone come along."""
    answer = await resolve(resolver, username=username)

    assert answer.contact == Contact(
        peer_id=taras.id, first_name="Taras", username="taras_m", phone=taras.phone
    )


@pytest.mark.parametrize("phone", ["380671112233", "+380 (67) 111-22-33"])
async def test_person_is_found_by_phone(
    resolver: RecipientSearch, taras: Account, phone: str
) -> None:
    """A phone is understood however it is written."""
    answer = await resolve(resolver, phone=phone)

    assert answer.contact is not None
    assert answer.contact.peer_id == taras.id


async def test_person_is_found_by_import(
    resolver: RecipientSearch, telegram: DataCentre, number: Number, taras: Account
) -> None:
    """Where a phone can't be looked up, it is imported; no contact, no made-up name is left."""
    telegram.fail("PHONE_NOT_OCCUPIED", method="contacts.resolvePhone")

    answer = await resolve(resolver, phone=taras.phone)

    assert answer.contact is not None
    assert (answer.contact.peer_id, answer.contact.first_name) == (taras.id, "Taras")
    assert telegram.account_of(number.phone).contacts == {}


async def test_import_that_stays_is_no_failure(
    resolver: RecipientSearch, telegram: DataCentre, taras: Account
) -> None:
    """The person was found, even when the contact can't be deleted again."""
    telegram.fail("PHONE_NOT_OCCUPIED", method="contacts.resolvePhone")
    telegram.fail("FLOOD_WAIT_60", method="contacts.deleteContacts")

    answer = await resolve(resolver, phone=taras.phone)

    assert answer.contact is not None
    assert answer.contact.peer_id == taras.id


async def test_known_id_needs_no_search(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """Somebody whom the session has met is found by the id alone."""
    telegram.fail("FLOOD_WAIT_60", method="contacts.resolveUsername")
    resolver = RecipientSearch(outbound.number.account, outbound.throttle, outbound.access_hashes)

    answer = await resolve(resolver, user_id=taras.id, username="taras_m")

    assert answer.contact is not None
    assert answer.contact.first_name == "Taras"


async def test_unknown_id_is_no_hindrance(resolver: RecipientSearch, taras: Account) -> None:
    """An id that says nothing is passed over for user name, phone."""
    answer = await resolve(resolver, user_id=4242, username="nobody_there", phone=taras.phone)

    assert answer.contact is not None
    assert answer.contact.peer_id == taras.id


@pytest.mark.parametrize(
    ("username", "phone"),
    [
        (None, None),
        ("nobody_there", None),
        (None, "380999999999"),
        ("no name", "12"),
        ("x" * 50, ""),
        ("", "phone"),
    ],
)
async def test_nobody_is_told(
    resolver: RecipientSearch, username: str | None, phone: str | None
) -> None:
    """When nobody is found, that is the last word."""
    answer = await resolve(resolver, 4242, username, phone)

    assert code_of(answer) == "CONTACT_NOT_FOUND"
    assert answer.failure is not None
    assert answer.failure.next_try is None


async def test_bots_and_ourselves_are_nobody(
    resolver: RecipientSearch, telegram: DataCentre, number: Number
) -> None:
    """No employee writes to a bot, nor to the number itself."""
    telegram.accounts.add_bot("helper_bot", "Helper")

    assert code_of(await resolve(resolver, username="helper_bot")) == "CONTACT_NOT_FOUND"
    assert code_of(await resolve(resolver, phone=number.phone)) == "CONTACT_NOT_FOUND"


@pytest.mark.parametrize("method", ["resolveUsername", "resolvePhone", "importContacts"])
async def test_wait_is_told(resolver: RecipientSearch, telegram: DataCentre, method: str) -> None:
    """When Telegram wants us to wait, the answer says until when."""
    telegram.fail("FLOOD_WAIT_60", method=f"contacts.{method}")
    username = "taras_m" if method == "resolveUsername" else None

    answer = await resolve(resolver, username=username, phone="380999999999")

    assert code_of(answer) == "FLOOD_WAIT"
    assert answer.failure is not None
    assert answer.failure.next_try


async def test_suspected_number_adds_no_strangers(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """After PEER_FLOOD people are still found, but no stranger is added to the contacts for it."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    await outbound.send(taras, "text")
    resolver = RecipientSearch(outbound.number.account, outbound.throttle, outbound.access_hashes)

    stranger = await resolve(resolver, phone="380999999999")
    known = await resolve(resolver, user_id=taras.id)

    assert code_of(stranger) == "FLOOD_WAIT"
    assert stranger.failure is not None
    assert stranger.failure.next_try
    assert known.contact is not None


async def test_offline_is_told(number: Number) -> None:
    """Without a line the answer is that there is none."""
    resolver = resolver_of(number)

    assert code_of(await resolve(resolver, username="taras_m")) == "OFFLINE"


async def test_person_found_can_be_written_to(
    outbound: OutboundNumber, telegram: DataCentre
) -> None:
    """Whoever was resolved has an access hash from then on."""
    oleh = telegram.add_account("380501230000", "Oleh", username="oleh_x")
    resolver = RecipientSearch(outbound.number.account, outbound.throttle, outbound.access_hashes)

    await resolve(resolver, username="oleh_x")
    (sent,) = await outbound.send(oleh, "good day")

    assert sent.text == "good day"
