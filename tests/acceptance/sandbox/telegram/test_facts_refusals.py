"""What Telethon does with the errors that requests get."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from telethon import errors

from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import address
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

SEND_MESSAGE = "messages.sendMessage"


class Expected(NamedTuple):
    """What an error of the server becomes."""

    name: str
    kind: type[Exception]
    parent: type[Exception]
    seconds: int | None = None


EXPECTED = [
    Expected("PEER_FLOOD", errors.PeerFloodError, errors.BadRequestError),
    Expected("SLOWMODE_WAIT_5", errors.SlowModeWaitError, errors.FloodError, 5),
    Expected("FLOOD_PREMIUM_WAIT_3", errors.FloodPremiumWaitError, errors.FloodError, 3),
    Expected("USER_PRIVACY_RESTRICTED", errors.UserPrivacyRestrictedError, errors.ForbiddenError),
    Expected("INPUT_USER_DEACTIVATED", errors.InputUserDeactivatedError, errors.BadRequestError),
    Expected("CHAT_WRITE_FORBIDDEN", errors.ChatWriteForbiddenError, errors.ForbiddenError),
    Expected("FLOOD_WAIT", errors.FloodError, errors.RPCError),
]


async def test_short_wait_is_slept_silently(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A FLOOD_WAIT below the threshold delays the call; the caller is told nothing."""
    client = await client_of(alice, flood_sleep_threshold=60)
    data_centre.fail("FLOOD_WAIT_1", method=SEND_MESSAGE, times=1)
    start = time.monotonic()

    await client.send_message(address(alice, bob), "late")

    assert time.monotonic() - start >= 1
    assert [m.content.text for m in bob.box] == ["late"]


async def test_wait_is_remembered_per_method(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """After a FLOOD_WAIT the same method fails for every peer without asking the server."""
    client = await client_of(alice)
    data_centre.fail("FLOOD_WAIT_30", method=SEND_MESSAGE, times=1)
    with pytest.raises(errors.FloodWaitError) as told:
        await client.send_message(address(alice, bob), "refused by the server")

    with pytest.raises(errors.FloodWaitError) as remembered:
        await client.send_message("me", "refused by the client")

    assert told.value.seconds == 30
    assert 0 < remembered.value.seconds <= 30, "what is left of the wait"
    assert (len(bob.box), len(alice.box)) == (0, 0)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.name)
async def test_errors_have_their_classes(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, expected: Expected
) -> None:
    """Waits know their seconds; a FLOOD_WAIT without a number is only a FloodError."""
    client = await client_of(alice)
    data_centre.fail(expected.name, method=SEND_MESSAGE, times=1)

    with pytest.raises(expected.parent) as caught:
        await client.send_message(address(alice, bob), "refused")

    assert type(caught.value) is expected.kind
    assert getattr(caught.value, "seconds", None) == expected.seconds


async def test_server_errors_are_tried_again(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A 5xx is repeated two seconds later, then ends in a ValueError that hides it."""
    client = await client_of(alice, request_retries=1)
    data_centre.fail("INTERDC_2_CALL_ERROR", method=SEND_MESSAGE, times=2)
    start = time.monotonic()

    with pytest.raises(ValueError, match="unsuccessful 2 time"):
        await client.send_message(address(alice, bob), "refused twice")
    took = time.monotonic() - start
    await client.send_message(address(alice, bob), "the third call")

    assert took >= 2
    assert [m.content.text for m in bob.box] == ["the third call"]


async def test_last_server_error_can_be_raised(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """With raise_last_call_error the real error comes out."""
    client = await client_of(alice, request_retries=0, raise_last_call_error=True)
    data_centre.fail("INTERDC_2_CALL_ERROR", method=SEND_MESSAGE)

    with pytest.raises(errors.InterdcCallErrorError):
        await client.send_message(address(alice, bob), "refused")


async def send_with_lost_answer(
    client_of: ClientOf, centre: DataCentre, sender: Account, recipient: Account
) -> asyncio.Future[Any]:
    """Send a message that arrives while its answer gets lost with the line."""
    client = await client_of(sender, connection_retries=100, request_retries=0)
    await client.get_me()
    centre.afflict(Kind.SLOW, sender.phone, 60)
    sending: asyncio.Future[Any] = asyncio.ensure_future(
        client.send_message(address(sender, recipient), "once")
    )
    await eventually(lambda: len(recipient.box), awaited="the message")
    centre.clear_faults()
    return sending


async def test_request_in_flight_is_sent_again(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A request whose answer was lost goes out again with its random_id: stored once."""
    sending = await send_with_lost_answer(client_of, data_centre, alice, bob)

    data_centre.cut(alice.phone)

    message = await asyncio.wait_for(sending, PATIENCE)
    assert [m.id for m in alice.box] == [message.id]
    assert [m.content.text for m in bob.box] == ["once"]


async def test_duplicate_error_hides_success(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Where the server answers RANDOM_ID_DUPLICATE the send fails although the message is out."""
    sending = await send_with_lost_answer(client_of, data_centre, alice, bob)
    data_centre.afflict(Kind.STRICT_RANDOM_ID, alice.phone)

    data_centre.cut(alice.phone)

    with pytest.raises(ValueError, match="unsuccessful"):
        await asyncio.wait_for(sending, PATIENCE)
    assert [m.content.text for m in bob.box] == ["once"]
