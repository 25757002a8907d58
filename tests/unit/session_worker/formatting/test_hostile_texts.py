"""Texts made to keep the planner busy; it runs where all numbers are served."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from session_worker.formatting.plan import plan
from session_worker.formatting.rendering import render

LENGTH = 8192  # characters; a comment may have eight times as many
GROWTH = 3  # of the work, for a text twice as long; four would be the square


def count_calls(text: str) -> int:
    """Count the calls that planning makes, which no busy machine changes."""
    calls = 0

    def count(_frame: object, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        plan(text, ())
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "{<b>}{<i></i>}",
            "{<b>}{</i>}",
            "{<b>}{</b>}",
            "{<b><i>}{</b>}",
            "{<a href=http://x>}{</a>}",
        ),
        *("{<b>x</b>}", "{<li>}", "{<p>}", "{a [ http://x ] }", "{[ }", "{&amp;}", "{\r}"),
    ],
)
def test_work_grows_with_the_length(pattern: str) -> None:
    """A text twice as long takes about twice the work, however its tags are nested."""
    pieces = pattern.strip("{}").split("}{")

    def text(length: int) -> str:
        return "x" + "".join(piece * (length // len(pieces) // len(piece)) for piece in pieces)

    assert count_calls(text(2 * LENGTH)) < GROWTH * count_calls(text(LENGTH))


def test_reference_without_end_is_no_error() -> None:
    """A reference with more digits than Python reads as a number stands for a character that nobody has."""
    endless = f"&#{'1' * 5000};"

    (part,) = plan(f'<a href="http://x.example/{endless}">see</a>', ())

    assert render(part.text).text == "see"
    assert [mark.value for mark in render(part.text).marks] == ["http://x.example/\ufffd"]
