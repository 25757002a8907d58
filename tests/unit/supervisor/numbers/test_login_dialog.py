"""Questions to a login's worker, answers to those who asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.login import LoginFailed, LoginFailure, LoginMoved, LoginStage
from supervisor.errors import CodeInvalid, LoginError, LoginFlood, WorkerTimeout, WorkerUnavailable
from supervisor.numbers.login_dialog import LoginDialog

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


async def test_answer_reaches_who_asked() -> None:
    """Answers come in any order, each to its own question."""
    dialog = LoginDialog()
    first, second = dialog.open(), dialog.open()

    dialog.record(LoginMoved(request_id=second, stage=LoginStage.PASSWORD_WANTED))
    dialog.record(LoginFailed(request_id=first, failure=LoginFailure.CODE_INVALID))

    assert (await dialog.wait(second)).stage is LoginStage.PASSWORD_WANTED
    with pytest.raises(CodeInvalid):
        await dialog.wait(first)


async def test_worker_that_is_gone_answers_nobody() -> None:
    """Who waits is told at once; what was reached is void."""
    dialog = LoginDialog()
    dialog.record(LoginMoved(stage=LoginStage.CODE_SENT))
    asked = dialog.open()

    dialog.abort()

    assert dialog.reached is None
    with pytest.raises(WorkerUnavailable):
        await dialog.wait(asked)


async def test_silence_has_an_end(autojump_clock: AutojumpClock) -> None:
    """A worker that does not answer keeps nobody waiting for ever; a late answer harms nobody."""
    dialog = LoginDialog()
    asked = dialog.open()

    with pytest.raises(WorkerTimeout):
        await dialog.wait(asked)
    dialog.record(LoginFailed(request_id=asked, failure=LoginFailure.CODE_INVALID))


async def test_look_waits_for_a_step_under_way(autojump_clock: AutojumpClock) -> None:
    """Who only looks waits until the questions of others are answered, or for as long as it likes."""
    dialog = LoginDialog()
    await dialog.wait_until_answered(5)
    asked = dialog.open()
    looking = asyncio.create_task(dialog.wait_until_answered(5))
    start = autojump_clock.time()

    await asyncio.wait({looking}, timeout=1)
    assert not looking.done()
    dialog.record(LoginMoved(request_id=asked, stage=LoginStage.CODE_SENT))
    await looking
    assert autojump_clock.time() == pytest.approx(start + 1)

    dialog.open()
    await dialog.wait_until_answered(5)
    assert autojump_clock.time() == pytest.approx(start + 6)


async def test_who_asked_may_go_away() -> None:
    """A caller that hangs up leaves nothing behind."""
    dialog = LoginDialog()
    asking = asyncio.create_task(dialog.wait(asked := dialog.open()))
    await asyncio.sleep(0)

    asking.cancel()
    await asyncio.wait({asking})

    dialog.record(LoginMoved(request_id=asked, stage=LoginStage.CODE_SENT))
    assert dialog.reached is not None


@pytest.mark.parametrize("failure", LoginFailure)
async def test_each_failure_is_an_error(failure: LoginFailure) -> None:
    """Every failure a worker can tell has its error; only a flood has a time."""
    dialog = LoginDialog()
    asked = dialog.open()
    dialog.record(LoginFailed(request_id=asked, failure=failure, retry_after=5))

    with pytest.raises(Exception) as refused:  # noqa: PT011 - which type is what is asked
        await dialog.wait(asked)

    is_flood = failure is LoginFailure.FLOOD
    assert isinstance(refused.value, LoginFlood) == is_flood
    assert isinstance(refused.value, LoginError) == (failure is not LoginFailure.UNREACHABLE)
