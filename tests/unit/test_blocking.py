from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import quart
from blockbuster import BlockingError

from tests.blocking import PACKAGES, TOP

if TYPE_CHECKING:
    from collections.abc import Callable


def _function_in(folder: str, expression: str) -> Callable[[], object]:
    """Make a function that seems to stand in a module of that folder."""
    code = compile(f"lambda: {expression}", str(TOP / folder / "nap.py"), "eval")
    function: Callable[[], object] = eval(code, {"time": time, "quart": quart})
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


async def test_constructors_of_libraries_may_look_for_folders() -> None:
    """A Quart application can be made while an event loop runs."""
    make = _function_in("api", "quart.Quart('nap')")

    assert isinstance(make(), quart.Quart)
