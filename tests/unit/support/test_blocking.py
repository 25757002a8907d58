from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import quart
from blockbuster import BlockingError
from coverage.collector import Collector

from tests.support.blocking import PACKAGES, TOP

if TYPE_CHECKING:
    from collections.abc import Callable


def _function_in(folder: str, expression: str, **names: object) -> Callable[[], object]:
    """Make a function that seems to stand in a module of that folder."""
    code = compile(f"lambda: {expression}", str(TOP / folder / "nap.py"), "eval")
    known = {"time": time, "quart": quart, "lock_data": Collector.lock_data, **names}
    function: Callable[[], object] = eval(code, known)
    return function


@pytest.mark.parametrize("package", PACKAGES)
async def test_blocking_call_in_the_loop_fails(package: str) -> None:
    """A blocking call from one of our packages raises when an event loop runs."""
    nap = _function_in(package, "time.sleep(0)")

    with pytest.raises(BlockingError):
        nap()


async def test_blocking_call_in_a_thread_is_fine() -> None:
    """The same call in a thread stops nobody, so nothing is raised."""
    nap = _function_in("api", "time.sleep(0)")

    await asyncio.to_thread(nap)


async def test_tests_may_block() -> None:
    """Only our packages are watched, not the tests themselves."""
    nap = _function_in("tests", "time.sleep(0)")

    nap()


async def test_coverage_may_wait_for_its_own_lock() -> None:
    """Whoever measures us takes its lock within our code, which other threads hold for a moment."""
    held = threading.Lock()
    collector = SimpleNamespace(data_lock=held)
    enter = _function_in("api", "lock_data(collector)", collector=collector)
    nap = _function_in("api", "held.acquire()", held=held)
    held.acquire()

    with pytest.raises(BlockingError):
        nap()
    threading.Timer(0.05, held.release).start()
    enter()

    assert held.locked()


async def test_constructors_of_libraries_may_look_for_folders() -> None:
    """A Quart application can be made while an event loop runs."""
    make = _function_in("api", "quart.Quart('nap')")

    assert isinstance(make(), quart.Quart)
