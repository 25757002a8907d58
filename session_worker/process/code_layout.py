"""The layout of code in memory: CPython writes to code by running it, so what workers run lies side by side."""

from __future__ import annotations

import gc
import sys
import threading
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    CodeIds = AbstractSet[int]
    """Identities of code, which are the same in a forked process."""


def begin_recording(report: Callable[[int], None]) -> None:
    """Report for each call which code it runs, in this thread and in those that it starts."""

    def record(frame: Any, event: str, _: object) -> None:
        if event == "call":
            report(id(frame.f_code))

    threading.setprofile(record)
    sys.setprofile(record)


def end_recording() -> None:
    sys.setprofile(None)
    threading.setprofile(None)


def lay_side_by_side(*groups: CodeIds, make_room: Callable[[], object] = gc.collect) -> None:
    """Give the functions of each group copies of their code, made one right after the other.

    Otherwise each lies where its module was imported, among code that no worker runs. Running code
    writes to its reference count, so a worker would copy a whole page of memory for little code.
    """
    functions = [each for each in gc.get_objects() if type(each) is FunctionType]
    make_room()  # otherwise the copies would fill the scattered gaps that garbage leaves
    # The originals are kept until the end, because an identity is used again once it is free.
    copies: dict[int, tuple[CodeType, CodeType]] = {}
    for group in groups:
        for function in functions:
            original = function.__code__
            if id(original) in group:
                if id(original) not in copies:
                    copies[id(original)] = original, _copy(original, group)
                _, function.__code__ = copies[id(original)]


def _copy(code: CodeType, group: CodeIds) -> CodeType:
    """Copy the code with that of the functions that it makes."""
    inner = (
        _copy(each, group) if isinstance(each, CodeType) and id(each) in group else each
        for each in code.co_consts
    )
    return code.replace(co_consts=(*inner,))
