"""When a worker is started again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.numbers.restart_policy import (
    LOSSES,
    MassFailure,
    Park,
    Proceed,
    Record,
    Rest,
    Restart,
    RestartPolicy,
    next_step,
)
from supervisor.processes.worker_exit import CRASHES, WorkerExit, read_exit

POLICY = RestartPolicy()
CHANCES = st.floats(0, 1, exclude_max=True)
HOPELESS = [WorkerExit.BOOT_FAILED, WorkerExit.BOUNDS_BROKEN, WorkerExit.DATA_REFUSED]
CRASHED = st.sampled_from(sorted(CRASHES))


def crashed(times: int, *, apart: float = 1.0) -> Record:
    record = Record()
    for i in range(times):
        record = record.with_crash(i * apart, POLICY.window)
    return record


@given(CRASHED, CHANCES)
def test_first_restart_is_immediate(ending: WorkerExit, chance: float) -> None:
    """One crash costs no pause."""
    assert next_step(ending, crashed(1), POLICY, chance, braked=False) == Restart(0.0)


@given(CRASHED, CHANCES)
def test_budget_spent_parks(ending: WorkerExit, chance: float) -> None:
    """One crash more than the budget within the window, then the number is left alone."""
    last = next_step(ending, crashed(POLICY.budget), POLICY, chance, braked=False)
    over = next_step(ending, crashed(POLICY.budget + 1), POLICY, chance, braked=False)

    assert isinstance(last, Restart)
    assert over == Park()


@given(CRASHED, CHANCES, st.integers(1, 1000))
def test_crashes_far_apart_never_park(ending: WorkerExit, chance: float, times: int) -> None:
    """Only crashes within the window count, so a rare one is always forgiven."""
    record = crashed(times, apart=POLICY.window)

    assert next_step(ending, record, POLICY, chance, braked=False) == Restart(0.0)


@given(st.integers(1, 100), CHANCES)
def test_pauses_grow_up_to_a_limit(restart: int, chance: float) -> None:
    """With the same chance each pause is at least the one before; none is above the longest."""
    assert POLICY.pause_before(restart, chance) <= POLICY.pause_before(restart + 1, chance)
    assert 0 <= POLICY.pause_before(restart, chance) <= POLICY.longest_pause


@given(st.integers(0, 50), CHANCES, st.booleans())
def test_lost_login_always_rests(crashes: int, chance: float, braked: bool) -> None:
    """Whatever happened before, a lost login waits for a person."""
    step = next_step(WorkerExit.NEEDS_LOGIN, crashed(crashes), POLICY, chance, braked=braked)

    assert step == Rest()


@given(st.integers(0, 50), CHANCES, st.booleans())
def test_login_done_goes_on_at_once(crashes: int, chance: float, braked: bool) -> None:
    """The worker that has logged in makes room for the one that runs the number."""
    step = next_step(WorkerExit.LOGGED_IN, crashed(crashes), POLICY, chance, braked=braked)

    assert step == Proceed()


@given(st.sampled_from(HOPELESS), st.integers(0, 50), CHANCES, st.booleans())
def test_hopeless_ends_always_park(
    ending: WorkerExit, crashes: int, chance: float, braked: bool
) -> None:
    """A session that can't be made, a worker that broke its bounds: neither is tried again."""
    step = next_step(ending, crashed(crashes), POLICY, chance, braked=braked)

    assert step == Park()


@given(
    st.sampled_from(
        [
            WorkerExit.FORKSERVER_LOST,
            WorkerExit.FORK_FAILED,
            WorkerExit.LEASE_OVER,
            WorkerExit.STORAGE_FAILING,
            WorkerExit.STORE_FAILED,
        ]
    ),
    st.integers(0, 50),
    CHANCES,
)
def test_what_is_our_fault_never_parks(ending: WorkerExit, crashes: int, chance: float) -> None:
    """A frozen gateway, a dead forkserver, a lost database cost no number its budget."""
    assert isinstance(next_step(ending, crashed(crashes), POLICY, chance, braked=False), Restart)


@given(
    st.integers(2, 500),
    CHANCES,
    st.sampled_from(sorted(LOSSES)),
)
def test_what_dies_with_all_others_waits_ever_longer(
    losses: int, chance: float, ending: WorkerExit
) -> None:
    """A forkserver that dies on and on is not fed with starts, though no number is parked for it."""
    record = Record(losses=tuple(map(float, range(losses))))

    step = next_step(ending, record, POLICY, chance, braked=False)

    assert isinstance(step, Restart)
    longest = POLICY.longest_pause / 2
    assert step.pause >= min(POLICY.first_pause * 2.0 ** min(losses - 2, 50) / 2, longest)


@given(CRASHED, st.integers(1, 50), CHANCES)
def test_brake_slows_instead_of_parking(ending: WorkerExit, crashes: int, chance: float) -> None:
    """While many fail together each waits its share of the spread, none is parked."""
    step = next_step(ending, crashed(crashes), POLICY, chance, braked=True)

    assert isinstance(step, Restart)
    assert POLICY.brake_pause <= step.pause < POLICY.brake_pause + POLICY.brake_spread


@given(st.lists(st.floats(0, 1000), max_size=100))
def test_record_forgets_what_is_outside_the_window(times: list[float]) -> None:
    """The record holds this crash with those less than a window before it."""
    record, now = Record(), 0.0
    for step in times:
        now += step
        record = record.with_crash(now, POLICY.window)

    assert all(0 <= now - crash < POLICY.window for crash in record.crashes)


@given(st.integers(0, 200), st.integers(0, 200))
def test_brake_is_on_when_a_large_share_fails(running: int, failed: int) -> None:
    """Half of all numbers, but no fewer than ten, within seconds: that is not their fault."""
    brake = MassFailure()
    for i in range(failed):
        brake = brake.with_failure(str(i), now=1.0)

    assert brake.is_on(running, now=1.0) == (failed >= 10 and failed >= running / 2)
    assert not brake.is_on(running, now=1.0 + brake.window)


def test_one_number_alone_never_brakes() -> None:
    """However often it fails, one number counts once."""
    brake = MassFailure()
    for i in range(100):
        brake = brake.with_failure("380500000001", now=i / 100)

    assert not brake.is_on(running=1, now=1.0)


@pytest.mark.parametrize(
    ("code", "lease_over", "ending"),
    [
        (None, False, WorkerExit.FORKSERVER_LOST),
        (71, True, WorkerExit.LEASE_OVER),
        (-9, True, WorkerExit.LEASE_OVER),
        (-9, False, WorkerExit.KILLED),
        (-6, True, WorkerExit.KILLED),
        (0, False, WorkerExit.CRASHED),
        (1, False, WorkerExit.CRASHED),
        (3, False, WorkerExit.CRASHED),
        (64, False, WorkerExit.BOOT_FAILED),
        (65, False, WorkerExit.NEEDS_LOGIN),
    ],
)
def test_exit_tells_the_ending(code: int | None, lease_over: bool, ending: WorkerExit) -> None:
    """Each exit code, each signal is an ending of its own kind."""
    assert read_exit(code, lease_over=lease_over, is_login=False) is ending


@pytest.mark.parametrize("code", [66, 70, 71])
def test_word_of_a_worker_costs_a_restart(code: int) -> None:
    """A worker that was not to log in, lives on its lease, has its parent, has crashed whatever it says."""
    assert read_exit(code, lease_over=False, is_login=False) is WorkerExit.CRASHED


def test_login_is_believed_of_a_login() -> None:
    """Only the worker that was started to log in can say that it has."""
    assert read_exit(66, lease_over=False, is_login=True) is WorkerExit.LOGGED_IN
