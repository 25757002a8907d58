"""Ends of workers are told one by one only while they are few."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.contract import Trouble, TroubleCode
from supervisor.numbers.restart_policy import Restart
from supervisor.numbers.worker_pool import SHARED_CAUSES, ExitLog, WorkerPool
from supervisor.processes.worker_exit import WorkerExit

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = [f"3805000000{number:02}" for number in range(50)]


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def end(log: ExitLog, numbers: Iterable[str], ending: WorkerExit, now: float = 0.0) -> None:
    for number in numbers:
        log.record(f"number {number}", ending, Restart(0.0), now)


def test_a_few_ends_are_told_each(caplog: pytest.LogCaptureFixture) -> None:
    """Fewer than ten at once are each a number's own trouble."""
    end(ExitLog(), NUMBERS[:9], WorkerExit.KILLED)

    assert len(caplog.records) == 9


def test_many_ends_are_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    """From ten at once on a line for all stands for those that follow."""
    end(ExitLog(), NUMBERS, WorkerExit.KILLED)

    assert len(caplog.records) == 10
    assert "no more are named" in caplog.records[-1].getMessage()


@pytest.mark.parametrize("ending", SHARED_CAUSES)
def test_what_is_never_one_numbers_fault_is_told_once(
    caplog: pytest.LogCaptureFixture, ending: WorkerExit
) -> None:
    """A cause that all share is told by the first, however often they try."""
    log = ExitLog()

    for second in range(100):
        end(log, NUMBERS, ending, float(second))

    assert [record.getMessage() for record in caplog.records] == [SHARED_CAUSES[ending]]


def test_after_a_while_it_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """A cause that comes back when all was quiet for long is news."""
    log = ExitLog()

    end(log, NUMBERS, WorkerExit.FORKSERVER_LOST, 0.0)
    end(log, NUMBERS, WorkerExit.FORKSERVER_LOST, 3600.0)

    assert len(caplog.records) == 2


NOWHERE: Any = None
"""A forkserver, which these decisions do not need."""


def pool_of(numbers_of: dict[str, int]) -> WorkerPool:
    """Return a pool in which each client has so many running numbers."""
    pool = WorkerPool(NOWHERE)
    for client, count in numbers_of.items():
        pool.running |= {f"{client}{i}": client for i in range(count)}
    return pool


def silence(pool: WorkerPool, numbers: list[str], *, is_silent: bool = True) -> None:
    """Let these owe an answer, or give it."""
    for number in numbers:
        pool.record_silence(number, is_silent=is_silent)


@pytest.mark.parametrize(
    ("numbers_of", "silent", "may_kill"),
    [
        ({"a": 12, "b": 3, "c": 3}, ["a"], True),
        ({"a": 12, "b": 3, "c": 3}, ["a", "b"], False),
        ({"a": 12, "b": 12}, ["a"], True),
        ({"a": 12, "b": 12}, ["a", "b"], False),
        ({"a": 12}, ["a"], False),
    ],
)
def test_one_client_does_not_shield_the_hung(
    numbers_of: dict[str, int], silent: list[str], may_kill: bool
) -> None:
    """Half of all numbers are the machine only if they are of most clients."""
    pool = pool_of(numbers_of)
    names = [number for number, client in pool.running.items() if client in silent]

    silence(pool, names)

    assert pool.may_kill() is may_kill


def test_slow_machine_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Many silent workers are news only when one of them would be killed, and then a single time."""
    caplog.set_level(logging.INFO)
    pool = pool_of({"a": 12})
    silence(pool, list(pool.running))
    assert not caplog.records

    assert not any([pool.may_kill(), pool.may_kill()])
    silence(pool, list(pool.running), is_silent=False)

    told = [each.getMessage() for each in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("12 workers do not answer")
    assert told[1] == "most workers answer again"
    assert pool.may_kill()


@pytest.mark.parametrize(("crashing", "is_braked"), [(["a"], False), (["a", "b"], True)])
def test_one_client_does_not_brake_all(crashing: list[str], is_braked: bool) -> None:
    """Numbers of one client that crash together have a cause of their own; those of most have not."""
    pool = pool_of({"a": 12, "b": 3, "c": 3})
    names = [number for number, client in pool.running.items() if client in crashing]

    braked = [pool.is_braked(number, WorkerExit.CRASHED, 1.0) for number in names]

    assert braked[-1] is is_braked


def test_wrong_clock_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of numbers find the same clock wrong; the log says it once, and once when it is over."""
    pool = pool_of({"a": 12})
    wrong = Trouble(code=TroubleCode.CLOCK, detail="the local clock is 90 s behind Telegram's")
    for number in pool.running:
        pool.record_trouble(number, wrong)
    for number in pool.running:
        pool.record_trouble(number, None)

    [told, over] = caplog.messages
    assert "90 s behind" in told
    assert "any more" in over
