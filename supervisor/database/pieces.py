"""Splits long lists of values into pieces that fit into one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Value = TypeVar("Value")

# SQLite allows 32 766 parameters and PostgreSQL 32 767. Shorter statements also let other callers
# wait for less time.
MOST_VALUES: Final = 5000


def pieces(values: Iterable[Value], most: int = MOST_VALUES) -> Iterator[list[Value]]:
    """Split the values into lists of at most `most`; without values there is no list."""
    all_values = list(values)
    for start in range(0, len(all_values), most):
        yield all_values[start : start + most]
