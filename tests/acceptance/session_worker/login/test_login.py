"""A number logs in by code or QR, with or without a password, or leaves nothing behind."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.accounts import password_srp
from sandbox.telegram.faults import Kind
from sandbox.telegram.methods.logins.qr import scan
from session_worker.protocol.contract import SessionState, StoredSession, TroubleCode
from session_worker.telegram.errors import FloodWait, NeedsLogin, Refused, Unreachable
from session_worker.telegram.login.login import Login, time_to_renew
from session_worker.telegram.login.outcome import (
    CodeExpired,
    CodeInvalid,
    CodeSent,
    LoggedIn,
    PasswordInvalid,
    PasswordWanted,
    QrCode,
)
from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.number import QUICK, Number, Right, assignment
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.telegram.data_centre import DataCentre


@pytest.fixture
async def login(telegram: DataCentre) -> AsyncIterator[Login]:
    attempt = Login(assignment(telegram, PHONE, None), Right(), QUICK)
    yield attempt
    await attempt.close()


def code_of(telegram: DataCentre) -> str:
    return telegram.account_of(PHONE).code


async def scanned_by(telegram: DataCentre, phone: str, codes: list[QrCode]) -> None:
    """Let a person scan the newest code shown."""
    await eventually(lambda: codes, awaited="a QR code")
    token = codes[-1].url.removeprefix("tg://login?token=")
    scan(telegram, telegram.account_of(phone), urlsafe_b64decode(token + "=" * (-len(token) % 4)))


async def test_a_code_logs_in(telegram: DataCentre, login: Login) -> None:
    """The key that comes out is a session that a number can run on."""
    sent = await login.send_code()
    entered = await login.enter_code(code_of(telegram))
    await login.close()

    assert isinstance(sent, CodeSent)
    assert isinstance(entered, LoggedIn)
    number = Number(telegram, PHONE)
    number.memory.session = StoredSession.model_validate(entered.key.model_dump(exclude={"kind"}))
    number.account = number.make_account()
    await number.start()
    await number.stop()
    assert telegram.count_connections(PHONE).peak_per_key == 1


async def test_a_code_may_be_written_with_gaps(telegram: DataCentre, login: Login) -> None:
    """People type codes the way Telegram shows them."""
    await login.send_code()
    code = code_of(telegram)

    assert isinstance(await login.enter_code(f"{code[:2]}-{code[2:]} "), LoggedIn)


async def test_a_wrong_code_allows_another_try(telegram: DataCentre, login: Login) -> None:
    """A mistyped code costs one attempt."""
    await login.send_code()
    with pytest.raises(CodeInvalid):
        await login.enter_code("x")

    assert isinstance(await login.enter_code(code_of(telegram)), LoggedIn)


async def test_an_expired_code_says_so(telegram: DataCentre, login: Login) -> None:
    """A code that no longer counts needs a new one, not another try."""
    await login.send_code()
    telegram.fail("PHONE_CODE_EXPIRED", method="auth.signIn", times=1)
    with pytest.raises(CodeExpired):
        await login.enter_code(code_of(telegram))

    await login.send_code()
    assert isinstance(await login.enter_code(code_of(telegram)), LoggedIn)


async def test_a_password_follows_the_code(telegram: DataCentre, login: Login) -> None:
    """With a password a right code is half the way; a wrong password allows another."""
    telegram.account_of(PHONE).password = password_srp.make_password("s3cret")
    await login.send_code()

    assert isinstance(await login.enter_code(code_of(telegram)), PasswordWanted)
    with pytest.raises(PasswordInvalid):
        await login.enter_password("guess")
    assert isinstance(await login.enter_password("s3cret"), LoggedIn)


async def test_waits_are_told(telegram: DataCentre, login: Login) -> None:
    """Who must wait is told how long."""
    telegram.fail("FLOOD_WAIT_600", method="auth.sendCode", times=1)

    with pytest.raises(FloodWait) as wait:
        await login.send_code()

    assert wait.value.seconds == 600


async def test_a_banned_phone_is_told(telegram: DataCentre, login: Login) -> None:
    """A ban is no wrong code."""
    telegram.afflict(Kind.BAN, PHONE)

    with pytest.raises(NeedsLogin) as banned:
        await login.send_code()

    assert banned.value.trouble.code is TroubleCode.BANNED


async def test_a_phone_without_telegram_is_refused(telegram: DataCentre) -> None:
    """We log in; we never sign up."""
    login = Login(assignment(telegram, "380990000000", None), Right(), QUICK)
    codes: list[str] = []
    telegram.announce_code = codes.append
    await login.send_code()

    with pytest.raises(Refused, match="PHONE_NUMBER_UNOCCUPIED"):
        await login.enter_code(codes[-1])
    await login.close()


async def test_a_scanned_qr_code_logs_in(telegram: DataCentre, login: Login) -> None:
    """The owner scans, nobody types."""
    codes: list[QrCode] = []
    waiting = asyncio.create_task(login.scan_qr(codes.append))

    await scanned_by(telegram, PHONE, codes)

    assert isinstance(await asyncio.wait_for(waiting, PATIENCE), LoggedIn)


async def test_a_password_follows_the_qr_code(telegram: DataCentre, login: Login) -> None:
    """A scan does not replace the password."""
    telegram.account_of(PHONE).password = password_srp.make_password("s3cret")
    codes: list[QrCode] = []
    waiting = asyncio.create_task(login.scan_qr(codes.append))

    await scanned_by(telegram, PHONE, codes)

    assert isinstance(await asyncio.wait_for(waiting, PATIENCE), PasswordWanted)
    assert isinstance(await login.enter_password("s3cret"), LoggedIn)


async def test_a_stranger_who_scans_is_logged_out_again(telegram: DataCentre, login: Login) -> None:
    """The account must be the number's own; another one's session is ended, not kept."""
    codes: list[QrCode] = []
    waiting = asyncio.create_task(login.scan_qr(codes.append))

    await scanned_by(telegram, CONTACT, codes)
    with pytest.raises(NeedsLogin) as wrong:
        await asyncio.wait_for(waiting, PATIENCE)

    assert wrong.value.trouble.code is TroubleCode.WRONG_ACCOUNT
    assert telegram.keys.of_account(telegram.account_of(CONTACT)) == []


def test_a_qr_code_is_renewed_before_it_expires() -> None:
    """What is on the screen can always be scanned; a wrong clock does not make it flicker."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert time_to_renew(now + timedelta(seconds=30), now, before=2) == 28
    assert time_to_renew(now - timedelta(seconds=30), now, before=2) == 1


async def test_an_abandoned_login_leaves_nothing(telegram: DataCentre, login: Login) -> None:
    """No line, no session, no code that still counts."""
    await login.send_code()
    assert telegram.logins._codes

    await login.close()

    await eventually(lambda: not telegram.connections)
    assert telegram.keys.of_account(telegram.account_of(PHONE)) == []
    assert not telegram.logins._codes


async def test_a_login_outlives_a_cut(telegram: DataCentre, login: Login) -> None:
    """The code that was sent stays good, for the next line speaks under the same key."""
    await login.send_code()
    telegram.cut()
    with pytest.raises(Unreachable):
        await login.enter_code("x")

    assert isinstance(await login.enter_code(code_of(telegram)), LoggedIn)


async def test_a_login_ends_a_lost_session(telegram: DataCentre, login: Login) -> None:
    """After a revocation a new login brings the number back."""
    number = Number(telegram, PHONE)
    await number.start()
    await number.stop()
    telegram.afflict(Kind.REVOKE, PHONE)
    await login.send_code()
    entered = await login.enter_code(code_of(telegram))
    await login.close()

    assert isinstance(entered, LoggedIn)
    number.memory.put(entered.key)
    await number.start_again()
    assert number.memory.state is SessionState.ONLINE
    await number.stop()
