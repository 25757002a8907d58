"""Formatted text stays readable as plain text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from session_worker.telegram.reading.plain_text import plain, quoted, readable

KINDS = [
    lambda o, n: types.MessageEntityTextUrl(o, n, "https://e.org"),
    lambda o, n: types.MessageEntityMentionName(o, n, 7),
    types.MessageEntityCode,
    lambda o, n: types.MessageEntityPre(o, n, "py"),
    types.MessageEntityBlockquote,
    types.MessageEntityBold,
]
ENTITY = st.builds(
    lambda kind, offset, length: kind(offset, length),
    st.sampled_from(KINDS),
    st.integers(0, 40),
    st.integers(0, 40),
)


@pytest.mark.parametrize(
    ("text", "entities", "shown"),
    [
        (
            "look here please",
            [types.MessageEntityTextUrl(5, 4, "https://e.org/a")],
            "look here [ https://e.org/a ] please",
        ),
        (
            "😀 here",
            [types.MessageEntityTextUrl(3, 4, "https://e.org")],
            "😀 here [ https://e.org ]",
        ),
        ("https://e.org", [types.MessageEntityTextUrl(0, 13, "https://e.org/")], "https://e.org"),
        ("https://e.org", [types.MessageEntityUrl(0, 13)], "https://e.org"),
        ("run ls now", [types.MessageEntityCode(4, 2)], "run `ls` now"),
        ("x = 1", [types.MessageEntityPre(0, 5, "py")], "```py\nx = 1\n```"),
        ("a\nb\nc", [types.MessageEntityBlockquote(0, 3)], ">> a\n>> b\nc"),
        ("a b", [types.MessageEntityBlockquote(0, 1)], ">> a\n b"),
        ("say a", [types.MessageEntityBlockquote(4, 1)], "say \n>> a"),
        ("ask Ivan", [types.MessageEntityMentionName(4, 4, 9)], "ask Ivan [ tg://user?id=9 ]"),
        ("bold @me", [types.MessageEntityBold(0, 4), types.MessageEntityMention(5, 3)], "bold @me"),
        (
            "ab",
            [types.MessageEntityTextUrl(0, 2, "https://e.org"), types.MessageEntityCode(0, 2)],
            "`ab` [ https://e.org ]",
        ),
    ],
)
def test_formatting_is_written_out(text: str, entities: list[Any], shown: str) -> None:
    """Links, code, quotes, mentions keep what they say; looks are dropped."""
    assert readable(text, entities) == shown


@given(st.text(max_size=30), st.lists(ENTITY, max_size=6))
def test_no_character_is_lost(text: str, entities: list[Any]) -> None:
    """Wherever entities claim to be, every character of the text comes out, in order."""
    shown = iter(readable(text, entities))

    assert all(character in shown for character in plain(text))


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_offsets_count_utf_16_units(before: str, label: str, after: str) -> None:
    """A link stands right behind its label, whatever characters come before."""
    before, label, after = plain(before), plain(label) or "x", plain(after)
    units = len(before.encode("utf-16-le")) // 2, len(label.encode("utf-16-le")) // 2

    shown = readable(before + label + after, [types.MessageEntityTextUrl(*units, "u://u")])

    assert shown == f"{before}{label} [ u://u ]{after}"


@given(st.text())
def test_plain_text_holds_nothing_unprintable(text: str) -> None:
    """What comes out can be sent in a form, read by people."""
    shown = plain(text)

    assert shown.encode().decode() == shown
    assert not any(ord(c) < 32 and c not in "\n\t" for c in shown)
    assert plain(shown) == shown


def test_each_line_of_a_quote_is_marked() -> None:
    """A quote of several lines is one on each of them."""
    assert quoted("a\n\nb") == ">> a\n>>\n>> b"
