"""Long lists of values in the pieces that one statement takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Value = TypeVar("Value")

# SQLite takes 32 766 parameters, PostgreSQL 32 767; a shorter statement also keeps the others
# waiting for less time.
MOST_VALUES: Final = 5000


def pieces(values: Iterable[Value], most: int = MOST_VALUES) -> Iterator[list[Value]]:
    """Cut the values into lists that are not too long; no values, no lists."""
    all_values = list(values)
    for start in range(0, len(all_values), most):
        yield all_values[start : start + most]
