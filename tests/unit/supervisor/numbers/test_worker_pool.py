"""Ends of workers are told one by one only while they are few."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from supervisor.numbers.restart_policy import Restart
from supervisor.numbers.worker_pool import SHARED_CAUSES, ExitLog
from supervisor.processes.worker_exit import WorkerExit

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = [f"3805000000{number:02}" for number in range(50)]


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def end(log: ExitLog, numbers: Iterable[str], ending: WorkerExit, now: float = 0.0) -> None:
    for number in numbers:
        log.note(number, ending, Restart(0.0), now)


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
