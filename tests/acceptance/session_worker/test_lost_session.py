"""A lost session ends the account under the right name; nothing is retried, nothing processed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.faults import Kind
from session_worker.contract import SessionState, TroubleCode
from session_worker.session import SessionEnded
from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.number import Number
from tests.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.post_office import Posted


def revoke(telegram: DataCentre) -> None:
    telegram.afflict(Kind.REVOKE, PHONE)


def burn(telegram: DataCentre) -> None:
    telegram.afflict(Kind.DUPLICATE, PHONE)


def ban(telegram: DataCentre) -> None:
    telegram.afflict(Kind.BAN, PHONE)


def deactivate(telegram: DataCentre) -> None:
    telegram.fail("USER_DEACTIVATED", phone=PHONE)


def forget_key(telegram: DataCentre) -> None:
    for key in telegram.keys.of_account(telegram.account_of(PHONE)):
        telegram.keys.forget(key)


LOSSES = [
    (revoke, SessionState.NEEDS_LOGIN, TroubleCode.REVOKED),
    (burn, SessionState.NEEDS_LOGIN, TroubleCode.DUPLICATED),
    (forget_key, SessionState.NEEDS_LOGIN, TroubleCode.KEY_UNKNOWN),
    (ban, SessionState.BANNED, TroubleCode.BANNED),
    (deactivate, SessionState.BANNED, TroubleCode.DEACTIVATED),
]


@pytest.mark.parametrize(("lose", "state", "code"), LOSSES)
async def test_a_session_lost_while_connected_ends_the_account(
    number: Number,
    telegram: DataCentre,
    lose: Callable[[DataCentre], None],
    state: SessionState,
    code: TroubleCode,
) -> None:
    """A silent loss is found by the poll, named, and not retried."""
    await number.start()
    assert number.running is not None

    lose(telegram)
    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(number.running, PATIENCE)

    assert (ended.value.state, ended.value.trouble.code) == (state, code)
    await eventually(lambda: not telegram.connections)


@pytest.mark.parametrize(("lose", "state", "code"), LOSSES)
async def test_a_session_lost_before_connecting_ends_the_account(
    number: Number,
    telegram: DataCentre,
    lose: Callable[[DataCentre], None],
    state: SessionState,
    code: TroubleCode,
) -> None:
    """A dead key is found at the first connection."""
    lose(telegram)

    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(number.begin(), PATIENCE)

    assert (ended.value.state, ended.value.trouble.code) == (state, code)
    await eventually(lambda: not telegram.connections)


async def test_without_a_session_there_is_nothing_to_connect(telegram: DataCentre) -> None:
    """A number that never logged in waits for a login."""
    number = Number(telegram, PHONE)
    number.memory.session = None
    number.account = number.make_account()

    with pytest.raises(SessionEnded) as ended:
        await number.account.run()

    assert ended.value.trouble.code is TroubleCode.NO_SESSION
    assert not telegram.connections


async def test_a_session_of_another_account_processes_nothing(
    telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """The phone of the account must be the number, or its messages would go to a stranger."""
    number = Number(telegram, CONTACT)
    number.phone = PHONE
    number.account = number.make_account()
    telegram.afflict(Kind.SLOW, CONTACT, seconds=0.2)
    running = number.begin()

    # Telegram sends updates as soon as anything was asked, so before we know whose they are.
    await eventually(lambda: list(telegram.keys.listening(telegram.account_of(CONTACT))))
    write("private", sender=PHONE, recipient=CONTACT)
    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(running, PATIENCE)

    assert ended.value.trouble.code is TroubleCode.WRONG_ACCOUNT
    assert CONTACT in ended.value.trouble.detail
    assert number.updates == []
    assert number.memory.place is None
