"""What a worker may say, by what it was started for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.login import LoginFailed, LoginFailure, LoginMoved, LoginStage, WatchQr
from supervisor.numbers.login_dialog import (
    SIGN_IN,
    SIGN_OUT,
    ExpectedEvents,
    OneOffSession,
    UnexpectedEvent,
)

if TYPE_CHECKING:
    from session_worker.protocol.login import LoginEvent

IN = OneOffSession(SIGN_IN, WatchQr())
OUT = OneOffSession(SIGN_OUT, WatchQr())
FAILED = LoginFailed(request_id=1, failure=LoginFailure.REFUSED)
STEPS: list[LoginEvent] = [LoginMoved(stage=stage) for stage in LoginStage]


@pytest.mark.parametrize(
    "said", [FAILED, *STEPS], ids=lambda said: getattr(said, "stage", "failed")
)
def test_ordinary_worker_has_no_word_on_logins(said: LoginEvent) -> None:
    """Without a login under way nobody can say how far it is: not even to fill the audit log."""
    with pytest.raises(UnexpectedEvent):
        ExpectedEvents(None).require_login(said)


def test_login_goes_step_by_step_to_one_end() -> None:
    """Steps may repeat, wrong codes come between; what is said after the end was made up."""
    expected = ExpectedEvents(IN)
    for stage in (LoginStage.QR_SHOWN, LoginStage.QR_SHOWN, LoginStage.PASSWORD_WANTED):
        expected.require_login(LoginMoved(stage=stage))
    expected.require_login(FAILED)
    expected.require_login(LoginMoved(stage=LoginStage.LOGGED_IN))

    for said in (FAILED, *STEPS):
        with pytest.raises(UnexpectedEvent):
            expected.require_login(said)


@pytest.mark.parametrize(
    ("one_off", "stage"),
    [(IN, LoginStage.LOGGED_OUT), *((OUT, stage) for stage in LoginStage if stage != "logged_out")],
)
def test_errands_are_not_confused(one_off: OneOffSession, stage: LoginStage) -> None:
    """Who is to log out can't say it has logged in, nor the other way round."""
    with pytest.raises(UnexpectedEvent):
        ExpectedEvents(one_off).require_login(LoginMoved(stage=stage))


def test_login_brings_no_messages() -> None:
    """A worker on an errand reads no messages, so what it says of any was made up."""
    ExpectedEvents(None).require_messages()
    for one_off in (IN, OUT):
        with pytest.raises(UnexpectedEvent):
            ExpectedEvents(one_off).require_messages()
