"""The two sentences about a failed message."""

from __future__ import annotations

from typing import NamedTuple


class FailureText(NamedTuple):
    """The same failure, told to two readers."""

    employee: str
    operator: str
