"""What a search in the journal finds, and how long hostile texts may keep it."""

from __future__ import annotations

import pytest

from supervisor.database import tables
from supervisor.database.tables import Direction, RowState
from supervisor.journal.browsing import Selection
from supervisor.journal.values import Entry


def entry(text: str) -> Entry:
    return Entry(
        *(1, Direction.IN, RowState.PENDING, 7, "key", text, (), False, 0, None, False),
        *(None, None, None, tables.now(), None),
    )


@pytest.mark.parametrize(
    ("search", "text"),
    [
        ("\u0439\u043e\u0434", "\u0438\u0306\u043e\u0434"),
        ("\u0438\u0306\u043e\u0434", "\u0419\u043e\u0434"),
        ("caf\u00e9", "CAFE\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("x" + "\u0301" * 20, "ax" + "\u0301" * 20),
    ],
)
def test_letters_are_found_however_they_are_composed(search: str, text: str) -> None:
    """The same letter may be one character or two, and large or small."""
    assert Selection(search=search).matches(entry(text))


@pytest.mark.parametrize(
    "marks", ["\u0301{}\u0316{}", "\u0f73{}", "\u0301\u0316{}", "\u0344{}", "a\u0301\u0316{}"]
)
def test_no_text_keeps_the_search_busy(marks: str) -> None:
    """One letter with very many marks, as anybody may send, takes time in proportion to their number.

    Sorting them as Unicode demands takes time by the square of it, so this would never end.
    """
    first, *more = marks.split("{}")
    text = "a" + first * 10**6 + "".join(each * 10**6 for each in more)

    assert not Selection(search="word").matches(entry(text))
