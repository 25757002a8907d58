"""Which fault hits a call."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.planfix.fault import Fault, Mode, add_fault, pick_fault

DOWN = Fault(mode=Mode.DOWN)
ERROR_TWICE = Fault(mode=Mode.ERROR, times=2)
REFUSE_ONCE = Fault(mode=Mode.REFUSE, times=1, cmd="getTask")


def modes_of(faults: tuple[Fault, ...], *commands: str) -> list[Mode | None]:
    hits = []
    for cmd in commands:
        fault, faults = pick_fault(faults, cmd)
        hits.append(fault.mode if fault else None)
    return hits


def test_no_fault_hits_nothing() -> None:
    """Without faults no call is hit."""
    assert pick_fault((), "newMessage") == (None, ())


def test_uncounted_fault_stays() -> None:
    """A fault without `times` hits every call."""
    assert modes_of((DOWN,), *["newMessage"] * 3) == [Mode.DOWN] * 3


def test_counted_fault_is_spent() -> None:
    """A fault hits as often as its `times` say."""
    assert modes_of((ERROR_TWICE,), *["newMessage"] * 3) == [Mode.ERROR, Mode.ERROR, None]


def test_oldest_fault_that_concerns_the_call_hits() -> None:
    """A fault for another command is passed over, left as it was."""
    faults = (REFUSE_ONCE, ERROR_TWICE)

    hits = modes_of(faults, "newMessage", "getTask", "getTask", "getTask")

    assert hits == [Mode.ERROR, Mode.REFUSE, Mode.ERROR, None]


def test_new_fault_ends_an_uncounted_one() -> None:
    """An uncounted fault would hide every later one of the same calls, so it gives way."""
    assert add_fault((ERROR_TWICE, DOWN), REFUSE_ONCE) == (ERROR_TWICE, DOWN, REFUSE_ONCE)
    assert add_fault((ERROR_TWICE, DOWN), DOWN) == (ERROR_TWICE, DOWN)


@given(st.lists(st.integers(1, 5)), st.integers(0, 40))
def test_counted_faults_hit_their_sum(times: list[int], calls: int) -> None:
    """Faults in line hit as many calls as all their `times` together."""
    faults = tuple(Fault(mode=Mode.SLOW, times=count) for count in times)

    hits = modes_of(faults, *["newMessage"] * calls)

    assert hits.count(Mode.SLOW) == min(calls, sum(times))
