"""The session that logs a number in: its steps, its end, what it leaves behind."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.accounts import password_srp
from sandbox.telegram.methods.logins.qr import scan
from session_worker.protocol.contract import (
    SessionChanged,
    SessionState,
    StoredSession,
    Trouble,
    TroubleCode,
)
from session_worker.protocol.login import (
    EnterCode,
    EnterPassword,
    LoginByCode,
    LoginByQr,
    LoginFailed,
    LoginFailure,
    LoginMoved,
    LoginStage,
    LogOut,
    WatchQr,
)
from session_worker.session import SessionEnded, SessionGained
from session_worker.sign_in import SignIn
from session_worker.sign_out import SignOut
from session_worker.telegram.errors import FloodWait, NeedsLogin, Refused, Unreachable
from session_worker.telegram.login.outcome import ending_of, failure_of
from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.number import QUICK, Right, assignment, imported
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.telegram.data_centre import DataCentre
    from session_worker.protocol.contract import Event

BY_CODE = LoginByCode(request_id=1, patience=PATIENCE)
BY_QR = LoginByQr(request_id=1, patience=PATIENCE, patience_unwatched=PATIENCE)
UNWATCHED = 1.5  # seconds
RENEWING = replace(QUICK, renew_before=29.5)


@dataclass
class Said:
    """What came up the pipe."""

    events: list[Event] = field(default_factory=list)

    def put(self, event: Event) -> None:
        self.events.append(event)

    async def report(self, event: Event) -> None:
        self.put(event)

    @property
    def stages(self) -> list[LoginStage]:
        return [event.stage for event in self.events if isinstance(event, LoginMoved)]

    @property
    def states(self) -> list[SessionState]:
        return [event.state for event in self.events if isinstance(event, SessionChanged)]

    @property
    def qr_urls(self) -> list[str]:
        moved = (event for event in self.events if isinstance(event, LoginMoved))
        return [event.qr_url for event in moved if event.qr_url]

    def answer_to(self, request_id: int) -> LoginMoved | LoginFailed | None:
        answers = (e for e in self.events if isinstance(e, LoginMoved | LoginFailed))
        return next((answer for answer in answers if answer.request_id == request_id), None)


class Attempt:
    """A login that runs, as a worker would run it."""

    def __init__(self, telegram: DataCentre) -> None:
        self.said = Said()
        self.session = SignIn(assignment(telegram, PHONE, None), self.said, Right(), RENEWING)
        self.running = asyncio.create_task(self.session.run())

    async def ask(
        self, step: LoginByCode | LoginByQr | EnterCode | EnterPassword
    ) -> LoginMoved | LoginFailed:
        await self.session.handle(step)
        answer = await eventually(lambda: self.said.answer_to(step.request_id))
        assert answer is not None
        return answer

    async def end(self) -> SessionEnded:
        with pytest.raises(SessionEnded) as ended:
            await asyncio.wait_for(self.running, PATIENCE)
        return ended.value


@pytest.fixture
async def attempt(telegram: DataCentre) -> AsyncIterator[Attempt]:
    made = Attempt(telegram)
    yield made
    if not made.running.done():
        await made.session.stop()
    await asyncio.wait({made.running})
    await eventually(lambda: not telegram.connections, awaited="no line left")


def scan_newest(telegram: DataCentre, attempt: Attempt, phone: str) -> None:
    token = attempt.said.qr_urls[-1].partition("=")[2]
    scan(telegram, telegram.account_of(phone), urlsafe_b64decode(token + "=" * (-len(token) % 4)))


async def test_key_comes_before_the_good_news(telegram: DataCentre, attempt: Attempt) -> None:
    """Whoever hears that the number is logged in may count on its key."""
    await attempt.ask(BY_CODE)
    await attempt.ask(EnterCode(request_id=2, code=telegram.account_of(PHONE).code))
    with pytest.raises(SessionGained):
        await attempt.running

    kinds = [event.kind for event in attempt.said.events]
    assert kinds[-2:] == ["key_saved", "login_moved"]
    assert attempt.said.stages == [LoginStage.CODE_SENT, LoginStage.LOGGED_IN]
    assert attempt.said.states == [SessionState.NEEDS_CODE]


async def test_qr_code_is_renewed(telegram: DataCentre, attempt: Attempt) -> None:
    """Code follows code without being asked for; the newest one logs in, password included."""
    telegram.account_of(PHONE).password = password_srp.make_password("s3cret")
    await attempt.ask(BY_QR)
    await eventually(lambda: len(attempt.said.qr_urls) == 3)

    scan_newest(telegram, attempt, PHONE)
    await eventually(lambda: LoginStage.PASSWORD_WANTED in attempt.said.stages)
    entered = await attempt.ask(EnterPassword(request_id=2, password="s3cret"))

    assert isinstance(entered, LoginMoved)
    assert len(set(attempt.said.qr_urls)) == 3
    assert attempt.said.states == [SessionState.NEEDS_LOGIN, SessionState.NEEDS_PASSWORD]


async def test_login_nobody_goes_on_with_ends(telegram: DataCentre, attempt: Attempt) -> None:
    """After its patience the login is given up; the code that was sent counts no longer."""
    await attempt.ask(LoginByCode(request_id=1, patience=0.2))

    ended = await attempt.end()

    assert (ended.state, ended.trouble.code) == (
        SessionState.NEEDS_LOGIN,
        TroubleCode.LOGIN_ABANDONED,
    )
    assert not telegram.logins._codes


async def test_qr_code_lives_as_long_as_it_is_looked_at(
    telegram: DataCentre, attempt: Attempt
) -> None:
    """Each look renews the patience; without one the login ends."""
    loop = asyncio.get_running_loop()
    await attempt.ask(LoginByQr(request_id=1, patience=PATIENCE, patience_unwatched=UNWATCHED))
    began = looked = loop.time()
    while loop.time() < began + UNWATCHED:
        looked = loop.time()
        await attempt.session.handle(WatchQr())
        await asyncio.sleep(0.05)

    ended = await attempt.end()

    assert loop.time() >= looked + UNWATCHED
    assert ended.trouble.code is TroubleCode.LOGIN_ABANDONED


async def test_stranger_ends_the_login(telegram: DataCentre, attempt: Attempt) -> None:
    """Another account's scan is no reason to show the next code."""
    await attempt.ask(BY_QR)

    scan_newest(telegram, attempt, CONTACT)
    ended = await attempt.end()

    assert ended.trouble.code is TroubleCode.WRONG_ACCOUNT
    assert telegram.keys.of_account(telegram.account_of(CONTACT)) == []


async def test_qr_code_outlives_a_cut(telegram: DataCentre, attempt: Attempt) -> None:
    """A line that breaks while a QR code is shown is followed by another with a new code."""
    await attempt.ask(BY_QR)
    shown = len(attempt.said.qr_urls)

    telegram.cut()
    await eventually(lambda: len(attempt.said.qr_urls) > shown)
    scan_newest(telegram, attempt, PHONE)

    with pytest.raises(SessionGained):
        await asyncio.wait_for(attempt.running, PATIENCE)


async def test_login_that_can_not_begin_ends(telegram: DataCentre, attempt: Attempt) -> None:
    """Refused at its first step, the login is over, with the reason for whoever looks later."""
    telegram.fail("FLOOD_WAIT_600", method="auth.sendCode", times=1)

    refused = await attempt.ask(BY_CODE)
    ended = await attempt.end()

    assert isinstance(refused, LoginFailed)
    assert (refused.failure, refused.retry_after) == (LoginFailure.FLOOD, 600)
    assert ended.trouble.code is TroubleCode.LOGIN_REFUSED


async def test_wait_amid_a_login_does_not_end_it(telegram: DataCentre, attempt: Attempt) -> None:
    """Who enters too often waits, then goes on."""
    await attempt.ask(BY_CODE)
    telegram.fail("FLOOD_WAIT_5", method="auth.signIn", times=1)
    code = telegram.account_of(PHONE).code

    waits = await attempt.ask(EnterCode(request_id=2, code=code))
    entered = await attempt.ask(EnterCode(request_id=3, code=code))

    assert isinstance(waits, LoginFailed)
    assert isinstance(entered, LoginMoved)


async def test_stopped_login_takes_its_code_back(telegram: DataCentre, attempt: Attempt) -> None:
    """A gateway that stops leaves no code that still counts."""
    await attempt.ask(BY_CODE)

    await attempt.session.stop()
    await attempt.running

    assert not telegram.logins._codes


async def test_sign_out_ends_the_session(telegram: DataCentre) -> None:
    """Afterwards the key opens nothing; one that was dead already is no failure."""
    stored = imported(telegram.session_string_for(PHONE))

    outcomes = [await sign_out(telegram, stored) for _ in range(2)]

    assert [type(outcome) for outcome in outcomes] == [LoginMoved, LoginMoved]
    assert telegram.keys.of_account(telegram.account_of(PHONE)) == []
    await eventually(lambda: not telegram.connections)


async def test_failed_sign_out_is_told(telegram: DataCentre) -> None:
    """A session that goes on at Telegram must not pass for ended."""
    stored = imported(telegram.session_string_for(PHONE))
    telegram.fail("INTERNAL", method="auth.logOut")

    outcome = await sign_out(telegram, stored)

    assert isinstance(outcome, LoginFailed)


async def sign_out(telegram: DataCentre, stored: StoredSession) -> object:
    said = Said()
    session = SignOut(assignment(telegram, PHONE, stored), said, Right())
    await session.handle(LogOut(request_id=1))
    with pytest.raises(SessionEnded):
        await session.run()
    return said.answer_to(1)


@pytest.mark.parametrize(
    ("error", "failure", "code"),
    [
        (FloodWait(9, "FLOOD_WAIT"), LoginFailure.FLOOD, TroubleCode.LOGIN_REFUSED),
        (Refused(406, "PHONE_PASSWORD_FLOOD"), LoginFailure.FLOOD, TroubleCode.LOGIN_REFUSED),
        (Refused(400, "PHONE_NUMBER_INVALID"), LoginFailure.REFUSED, TroubleCode.LOGIN_REFUSED),
        (Unreachable("gone"), LoginFailure.UNREACHABLE, TroubleCode.UNREACHABLE),
        (
            NeedsLogin(Trouble(code=TroubleCode.BANNED)),
            LoginFailure.REFUSED,
            TroubleCode.BANNED,
        ),
    ],
)
def test_failures_are_told_apart(error: Refused, failure: LoginFailure, code: TroubleCode) -> None:
    """Each of Telegram's refusals means one thing for the login, leaves one trouble behind."""
    assert failure_of(error) is failure
    assert ending_of(error).trouble.code is code
