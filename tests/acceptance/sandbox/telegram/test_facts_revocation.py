"""What Telethon does when its key or its account is no longer welcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from telethon import errors, functions

from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.conftest import make_client
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

GET_STATE = functions.updates.GetStateRequest()
PING = functions.PingRequest(1)
End = Callable[["DataCentre", "Account"], None]


def afflicted(kind: Kind) -> End:
    return lambda centre, account: centre.afflict(kind, account.phone)


def refused(error: str) -> End:
    return lambda centre, account: centre.fail(error, phone=account.phone)


def forgotten(centre: DataCentre, account: Account) -> None:
    for key in centre.keys.of_account(account):
        centre.keys.forget(key)


class Loss(NamedTuple):
    """A way in which a login ends, and the error that tells of it."""

    end: End
    error: type[Exception]


LOSSES = {
    "revoked": Loss(afflicted(Kind.REVOKE), errors.AuthKeyUnregisteredError),
    "logged out": Loss(refused("SESSION_REVOKED"), errors.SessionRevokedError),
    "banned": Loss(afflicted(Kind.BAN), errors.UserDeactivatedBanError),
    "duplicated": Loss(afflicted(Kind.DUPLICATE), errors.AuthKeyDuplicatedError),
}


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> Loss:
    return LOSSES[request.param]


async def log_in(client: Any, account: Account) -> None:
    sent = await client.send_code_request(account.phone)
    await client.sign_in(account.phone, account.code, phone_code_hash=sent.phone_code_hash)


async def test_revocation_is_silent(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, loss: Loss
) -> None:
    """Nothing tells the client that it was revoked; only a request of its own does."""
    client = await client_of(alice)

    loss.end(data_centre, alice)
    await client._sender.send(PING)
    seems_well = client.is_connected() and not client.disconnected.done()

    assert seems_well
    with pytest.raises(loss.error):
        await client(GET_STATE)
    assert client.is_connected()


async def test_asking_who_one_is_hides_a_401(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, loss: Loss
) -> None:
    """Get_me() returns None where the server says 401; a 406 is raised."""
    client = await client_of(alice)

    loss.end(data_centre, alice)

    if issubclass(loss.error, errors.UnauthorizedError):
        assert await client.get_me() is None
    else:
        with pytest.raises(loss.error):
            await client.get_me()


async def test_saved_session_ends_at_the_next_difference(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, loss: Loss
) -> None:
    """A client that started logged in disconnects, without an error, when getDifference fails."""
    client = await client_of(alice)

    loss.end(data_centre, alice)
    await client.catch_up()

    await asyncio.wait_for(client.disconnected, PATIENCE)
    assert not client.is_connected()
    assert isinstance(client._updates_error, loss.error)


async def test_fresh_login_survives_the_difference(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, loss: Loss
) -> None:
    """A client that logged in during its run stays connected; run_until_disconnected() raises."""
    client = await client_of()
    await log_in(client, alice)

    loss.end(data_centre, alice)
    await client.catch_up()
    await eventually(client._updates_queue.empty, awaited="the try to catch up")
    await client._sender.send(PING)

    assert client.is_connected()
    with pytest.raises(loss.error):
        await asyncio.wait_for(client.run_until_disconnected(), PATIENCE)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (refused("AUTH_KEY_UNREGISTERED"), errors.AuthKeyUnregisteredError),
        (afflicted(Kind.DUPLICATE), errors.AuthKeyDuplicatedError),
        (forgotten, errors.AuthKeyNotFound),
    ],
    ids=["unregistered", "duplicated", "unknown"],
)
async def test_dead_key_fails_to_connect(
    data_centre: DataCentre, alice: Account, end: End, error: type[Exception]
) -> None:
    """The error of a dead key comes out of connect(), after which one must still disconnect."""
    client = make_client(data_centre, alice)
    end(data_centre, alice)

    with pytest.raises(error):
        await client.connect()
    await client.disconnect()

    assert not client.is_connected()


async def test_revoked_key_may_connect(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A key whose login was revoked connects; it is only not authorised any more."""
    session = data_centre.session_string_for(alice.phone)
    data_centre.revoke(alice.phone)

    client = await client_of(session=session)

    assert not await client.is_user_authorized()
