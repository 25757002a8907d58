"""How the code of functions is moved in memory without any change to what they do."""

from __future__ import annotations

import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any

from session_worker.process.code_layout import begin_recording, end_recording, lay_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType


def counter(start: int, step: int = 1) -> Callable[[], int]:
    def count(*, more: int = 10) -> int:
        nonlocal start
        start += step + more
        return start

    return count


def numbers(limit: int) -> Iterator[int]:
    yield from [each * each for each in range(limit)]


def bystander() -> int:
    return 1


def ids(*functions: Callable[..., object]) -> set[int]:
    """Return the identities of their code and of all code within."""
    found: set[int] = set()
    left: list[CodeType] = [each.__code__ for each in functions]
    while left:
        code = left.pop()
        found.add(id(code))
        left += [each for each in code.co_consts if hasattr(each, "co_code")]
    return found


def fresh(function: Callable[..., Any]) -> Any:
    """Make the function anew: the garbage collector does not show what it has frozen."""
    return FunctionType(function.__code__, globals(), argdefs=function.__defaults__)


def test_moved_functions_do_the_same() -> None:
    """Closures, defaults and generators work as before, in functions made before and after."""
    make, generate, stand_by = fresh(counter), fresh(numbers), fresh(bystander)
    before = stand_by.__code__
    made_before, begun_before = make(100), generate(3)
    assert next(begun_before) == 0
    group = ids(make, generate)

    lay_side_by_side(group, ids(stand_by))

    assert not ids(make, generate, made_before) & group
    assert stand_by.__code__ is not before
    assert [made_before(), made_before(more=0)] == [111, 112]
    assert make(1, step=2)() == 13
    assert list(begun_before) == [1, 4]
    assert list(generate(3)) == [0, 1, 4]


def test_other_functions_stay_where_they_are() -> None:
    """Code of no group is not touched, nor is that of a function which is made within one."""
    make, stand_by = fresh(counter), fresh(bystander)
    before, inner = stand_by.__code__, ids(make) - {id(make.__code__)}

    lay_side_by_side({id(make.__code__)})

    assert stand_by.__code__ is before
    assert ids(make) & inner == inner


def test_code_that_is_run_is_recorded() -> None:
    """Also what other threads run, until the recording ends."""
    found: set[int] = set()

    begin_recording(found.add)
    thread = threading.Thread(target=counter(1))
    thread.start()
    thread.join()
    end_recording()
    bystander()

    assert ids(counter) <= found
    assert not ids(bystander) & found
