"""A lost session ends the account under the right name; nothing is retried, nothing processed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode, UpdateState
from session_worker.session import SessionEnded
from session_worker.telegram.errors import NeedsLogin
from session_worker.telegram.login.login import log_out
from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.number import QUICK, Number, Right, assignment, imported
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.data_centre import DataCentre


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
    assert ended.value.trouble.detail.endswith(
        "+380…33"
    )  # whoever mistyped it knows it; others don't
    assert number.updates == []
    assert number.memory.place is None


async def test_a_revocation_is_found_behind_a_failing_poll(
    number: Number, telegram: DataCentre
) -> None:
    """A poll that is answered by a 500 proves nothing, so something else is asked at once."""
    await number.start()
    assert number.running is not None

    telegram.fail("WORKER_BUSY_TOO_LONG_RETRY", method="updates.getState")
    revoke(telegram)
    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(number.running, PATIENCE)

    assert ended.value.trouble.code is TroubleCode.REVOKED


async def test_who_is_answered_by_nothing_but_errors_is_not_online(
    number: Number, telegram: DataCentre
) -> None:
    """After a few polls in vain the number says so, until Telegram answers properly again."""
    await number.start()

    telegram.fail("WORKER_BUSY_TOO_LONG_RETRY", phone=PHONE)
    await number.until(SessionState.RECONNECTING)
    change = number.memory.events[-1]
    telegram.clear_faults()
    await number.until(SessionState.ONLINE)

    assert isinstance(change, SessionChanged)
    assert change.trouble is not None
    assert change.trouble.code is TroubleCode.FAILING


async def test_a_poll_that_fails_alone_costs_no_line(number: Number, telegram: DataCentre) -> None:
    """As long as anything else proves that the session lives, it is online."""
    await number.start()
    (key,) = telegram.keys.of_account(telegram.account_of(PHONE))
    lines = set(key.sessions)

    telegram.fail("WORKER_BUSY_TOO_LONG_RETRY", phone=PHONE, method="updates.getState", times=4)
    await eventually(lambda: not telegram.faults.is_method_failing, awaited="four failed polls")

    assert number.memory.states == [SessionState.CONNECTING, SessionState.ONLINE]
    assert set(key.sessions) == lines


async def test_new_account_of_the_phone_begins_anew(
    number: Number, write: Callable[..., Posted]
) -> None:
    """The place of an account that the phone had before is far from that of the one it has now."""
    session = number.memory.session
    assert session is not None
    before = {"user_id": 4242, "update_state": UpdateState(pts=50_000)}
    number.memory.session = session.model_copy(update=before)
    number.account = number.make_account()

    await number.start()
    write("hello")

    await number.until_texts("hello")
    assert number.memory.session.user_id == number.sandbox.account_of(PHONE).id


async def test_purge_ends_its_own_login_only(telegram: DataCentre) -> None:
    """A login that another account's owner made is left alone; the number's own is ended."""
    own, foreign = (imported(telegram.session_string_for(phone)) for phone in (PHONE, CONTACT))

    await log_out(assignment(telegram, PHONE, own), Right(), QUICK)
    with pytest.raises(NeedsLogin) as refused:
        await log_out(assignment(telegram, PHONE, foreign), Right(), QUICK)

    assert refused.value.trouble.code is TroubleCode.WRONG_ACCOUNT
    assert telegram.keys.of_account(telegram.account_of(PHONE)) == []
    assert len(telegram.keys.of_account(telegram.account_of(CONTACT))) == 1
