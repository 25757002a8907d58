"""HTML and Markdown become texts with marks, and long ones are cut without breaking any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.outgoing import Mark, MarkKind
from supervisor.errors import MarkupInvalid
from supervisor.notifications.formatting.html_parser import parse_html
from supervisor.notifications.formatting.markdown_parser import (
    Dialect,
    escape_markdown,
    parse_markdown,
)
from supervisor.notifications.formatting.marked_text import MarkedText, width_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = f"&#{'1' * 5000};"  # more digits than Python reads as a number

STRICT, LEGACY = Dialect.STRICT, Dialect.LEGACY


def marked(text: MarkedText) -> list[tuple[str, str, str]]:
    """Cut out what each mark covers, as Telegram counts."""
    units = text.text.encode("utf-16-le")
    return [
        (
            mark.kind.value,
            units[mark.offset * 2 :][: mark.length * 2].decode("utf-16-le"),
            mark.value,
        )
        for mark in text.marks
    ]


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("<b>a <i>x😀</i></b>!", "a x😀!", [("bold", "a x😀", ""), ("italic", "x😀", "")]),
        ("&lt;b&gt; &amp;amp; &nbsp; &#33;", "<b> &amp; &nbsp; !", []),
        ('<a href="https://e.com/?a=1&amp;b=2">t</a>', "t", [("link", "t", "https://e.com/?a=1&b=2")]),
        ('<a href="tg://user?id=7">t</a>', "t", [("mention", "t", "7")]),
        ('<a href="javascript:x">t</a>', "t", []),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", "x", "py")]),
        ("<blockquote expandable>q</blockquote>", "q", [("long_quote", "q", "")]),
        ('<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', "st",
         [("spoiler", "s", ""), ("spoiler", "t", "")]),
        ('<tg-emoji emoji-id="55">👍</tg-emoji>', "👍", [("emoji", "👍", "55")]),
        ("<B>up</B>", "up", [("bold", "up", "")]),
    ],
)  # fmt: skip
def test_html_is_read(source: str, text: str, marks: list[tuple[str, str, str]]) -> None:
    """The tags of the Bot API become marks that cover what they surround, in UTF-16 units."""
    parsed = parse_html(source)

    assert (parsed.text, marked(parsed)) == (text, marks)


@pytest.mark.parametrize(
    ("parse", "source", "words"),
    [
        (parse_html, "a < b", "Unsupported start tag"),
        (parse_html, "é<x>", 'Unsupported start tag "x" at byte offset 2'),
        (parse_html, "<b>x", 'end tag corresponding to start tag "b"'),
        (parse_html, "x</b>", "Unexpected end tag at byte offset 1"),
        (parse_html, "<b>x</i>", 'expected "</b>", found "</i>"'),
        (parse_html, "<span>x</span>", "tg-spoiler"),
        (lambda text: parse_markdown(text, STRICT), "1. a", "'.' is reserved"),
        (lambda text: parse_markdown(text, STRICT), "*a", "byte offset 0"),
        (lambda text: parse_markdown(text, STRICT), "**a**", "byte offset 0"),
        (lambda text: parse_markdown(text, LEGACY), "é _a", "byte offset 3"),
    ],
)
def test_what_telegram_refuses_is_refused(
    parse: Callable[[str], MarkedText], source: str, words: str
) -> None:
    """A wrong text is refused in the words of the Bot API, with the place of the fault."""
    with pytest.raises(MarkupInvalid, match=words.replace("(", r"\(")):
        parse(source)


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("*b* _i_ __u__ ~s~ ||p||", "b i u s p",
         [("bold", "b", ""), ("italic", "i", ""), ("underline", "u", ""), ("strike", "s", ""),
          ("spoiler", "p", "")]),
        ("**b** ~~s~~", "b s", [("bold", "b", ""), ("strike", "s", "")]),
        ("[t](https://e.com) [x](y)", "t x", [("link", "t", "https://e.com")]),
        ("`a_b` ```py\nx*y\n```", "a_b x*y", [("code", "a_b", ""), ("pre", "x*y", "py")]),
        ("> q\n> r\nend", "q\nr\nend", [("quote", "q\nr", "")]),
        ("2 * 3 * 4, snake_case_x, *un, 1. [a] (b)", "2 * 3 * 4, snake_case_x, *un, 1. [a] (b)", []),
        (r"\*a\*", "*a*", []),
    ],
)  # fmt: skip
def test_markdown_is_read_forgivingly(
    source: str, text: str, marks: list[tuple[str, str, str]]
) -> None:
    """Signs in pairs are marks, and all others are what people wrote."""
    parsed = parse_markdown(source)

    assert (parsed.text, marked(parsed)) == (text, marks)


def test_dialects_of_the_bot_api() -> None:
    """The older Markdown knows four marks only; the newer one takes every escape."""
    assert marked(parse_markdown("*b* _i_ `c`", LEGACY)) == [
        ("bold", "b", ""), ("italic", "i", ""), ("code", "c", ""),
    ]  # fmt: skip
    assert parse_markdown("a.b ~c~", LEGACY).text == "a.b ~c~"
    assert parse_markdown(r"1\. \*", STRICT).text == "1. *"


@given(st.text(max_size=60), st.sampled_from(Dialect))
def test_escaped_text_is_itself(text: str, dialect: Dialect) -> None:
    """Whatever the data is, escaped it stays what it was; and no text makes the reader fail."""
    text = text.replace("\r", "")
    if dialect is not LEGACY:
        assert parse_markdown(escape_markdown(text), dialect) == MarkedText(text)
    assert isinstance(parse_markdown(text), MarkedText)


@given(st.lists(st.sampled_from(["word ", "\n\n", "😀", ". ", "x" * 9]), max_size=40), st.data())
def test_pieces_are_the_text(words: list[str], data: st.DataObject) -> None:
    """Each piece fits and is not blank, together they are the text, and marks cover the same."""
    text = "".join(words)
    length = width_of(text)
    start = data.draw(st.integers(0, length))
    mark = Mark(kind=MarkKind.BOLD, offset=start, length=data.draw(st.integers(0, length - start)))
    whole = MarkedText(text, (mark,) if mark.length else ())

    pieces = list(whole.cut(20))

    assert all(0 < width_of(piece.text) <= 20 and piece.text.strip() for piece in pieces)
    assert "".join("".join(piece.text.split()) for piece in pieces) == "".join(text.split())
    assert "".join(
        "".join(covered(each, piece).split()) for piece in pieces for each in piece.marks
    ) == "".join(covered(mark, whole).split())


@pytest.mark.parametrize(
    ("piece", "dialect"), [("[", Dialect.FORGIVING), ("](", Dialect.FORGIVING), ("](", STRICT)]
)
def test_no_markdown_takes_long(piece: str, dialect: Dialect) -> None:
    """However many signs a text has, it is read at once; else one caller would stop all numbers.

    Where the time grew with the square of the length, this would never end.
    """
    source = piece * (200_000 // len(piece))
    try:
        text = parse_markdown(source, dialect)
    except MarkupInvalid:
        assert dialect is not Dialect.FORGIVING
    else:
        assert len(text.text) <= len(source)


def test_place_of_a_wrong_tag_is_counted_in_bytes() -> None:
    """As at Telegram, the place of what is wrong counts the bytes before it, tags and signs included."""
    with pytest.raises(MarkupInvalid, match="byte offset 17"):
        parse_html("é<b>😀</b>&lt;<x>")


def test_link_is_not_cut() -> None:
    """A link stays whole and moves into the next piece."""
    source = '<a href="https://e.com">' + "a b c d e" + "</a>"
    text = parse_html("word " * 3 + source)

    assert [marked(piece) for piece in text.cut(20)] == [
        [], [("link", "a b c d e", "https://e.com")]
    ]  # fmt: skip


@pytest.mark.parametrize("sign", ["👨‍👩‍👧", "e\u0301\u0302", "🇺🇦", "👍🏽", "❤️"])
def test_sign_of_several_characters_is_not_cut(sign: str) -> None:
    """What is one sign to the reader is not torn apart, wherever the limit is."""
    for before in range(len(sign.encode("utf-16-le"))):
        text = MarkedText("x" * before + sign * 20)

        pieces = [piece.text for piece in text.cut(40)]

        assert "".join(pieces) == text.text
        assert all(piece.startswith(("x", sign)) for piece in pieces)


def covered(mark: Mark, text: MarkedText) -> str:
    units = text.text.encode("utf-16-le")
    return units[mark.offset * 2 :][: mark.length * 2].decode("utf-16-le", "ignore")


def test_reference_without_end_is_no_error() -> None:
    """In an address, too, a reference with thousands of digits stands for a character that nobody has."""
    assert marked(parse_html(f'<a href="http://x.example/{ENDLESS}">x</a>')) == [
        ("link", "x", "http://x.example/\ufffd")
    ]
