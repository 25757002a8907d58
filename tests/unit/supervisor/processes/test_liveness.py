"""How a worker that hangs is told from one that waits for the processor."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import Patience
from supervisor.processes.liveness import Silence, SilentWorkers, Usage, read_usage

PATIENCE = Patience()
BEGAN = Usage(ran=10.0, waited=3.0)
SECONDS = st.floats(min_value=0.0, max_value=60.0)


def silence(lasted: float) -> Silence:
    return Silence(BEGAN, lasted)


@given(lasted=SECONDS, ran=st.floats(min_value=0.0, max_value=0.29), reports_nothing=st.booleans())
def test_starved_worker_gets_time(lasted: float, ran: float, reports_nothing: bool) -> None:
    """A worker that waits for the processor nearly all the time does not hang, however long it lasts."""
    ran /= 3 if reports_nothing else 1
    waited = max(0.0, lasted - ran)
    usage = Usage(BEGAN.ran + min(ran, lasted), BEGAN.waited + waited, "R")

    assert not silence(lasted).is_hang(usage, PATIENCE, reports_nothing=reports_nothing)


def test_starved_endless_loop_is_found_sooner() -> None:
    """Beside other programs a third of the running is enough, unless the worker still reports."""
    starved = Usage(BEGAN.ran + 0.11, BEGAN.waited + 1.1, "R")
    hardly = Usage(BEGAN.ran + 0.11, BEGAN.waited + 0.9, "R")

    assert silence(2.4).is_hang(starved, PATIENCE, reports_nothing=True)
    assert not silence(1.3).is_hang(starved, PATIENCE)
    assert not silence(1.1).is_hang(hardly, PATIENCE, reports_nothing=True)


def test_endless_loop_is_a_hang() -> None:
    """A worker that runs and runs without an answer hangs, also where it seldom gets to run."""
    usage = Usage(BEGAN.ran + 0.31, BEGAN.waited + 2.5, "R")

    assert silence(2.81).is_hang(usage, PATIENCE)


def test_blocked_call_is_a_hang() -> None:
    """A worker that neither runs nor waits to run, with a beat unread, hangs."""
    usage = Usage(BEGAN.ran, BEGAN.waited + 0.1, "S")

    assert silence(1.0).is_hang(usage, PATIENCE)
    assert not silence(0.8).is_hang(usage, PATIENCE)


def test_frozen_process_is_a_hang_at_once() -> None:
    """A stopped process hangs, whatever else the kernel says of it."""
    assert silence(0.0).is_hang(Usage(BEGAN.ran, BEGAN.waited, "T"), PATIENCE)


def test_slow_disk_is_given_longer() -> None:
    """A worker that waits for a disk is given longer than one that waits for nothing."""
    usage = Usage(BEGAN.ran, BEGAN.waited, "D")

    assert not silence(5.0).is_hang(usage, PATIENCE)
    assert silence(6.0).is_hang(usage, PATIENCE)


def test_without_the_kernels_figures_only_time_counts() -> None:
    """Where the kernel tells nothing a silent worker is given longer."""
    assert not silence(5.9).is_hang(None, PATIENCE)
    assert silence(6.0).is_hang(None, PATIENCE)


def test_boot_takes_longer() -> None:
    """What is a hang later may be a slow start before the first answer."""
    usage = Usage(BEGAN.ran + 1.0, BEGAN.waited, "R")

    assert silence(1.0).is_hang(usage, PATIENCE)
    assert not silence(1.0).is_hang(usage, PATIENCE.of_boot())


def test_our_own_delay_is_not_the_workers_silence() -> None:
    """A look that comes late by minutes adds no more than a look in time would."""
    assert silence(1.0).longer(300.0, most=1.5).lasted == 2.5


def test_many_silent_workers_are_the_machine() -> None:
    """Half of all numbers, ten at the least, are too many to be at fault themselves."""
    workers = SilentWorkers(numbers={f"{each}" for each in range(10)})

    assert workers.are_many(running=20)
    assert not workers.are_many(running=21)
    assert not SilentWorkers(numbers={"1"}).are_many(running=1)


def test_kernel_tells_of_a_process() -> None:
    """The kernel's figures of a running process can be read, those of none can't."""
    usage = read_usage(os.getpid())

    assert usage is not None
    assert usage.ran > 0
    assert usage.state == "R"
    assert read_usage(2**22 + 1) is None
