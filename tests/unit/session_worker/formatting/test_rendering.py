"""How a comment of Planfix looks in Telegram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.formatting.rendering import MOST_LINKS, Rendered, render, width_of
from session_worker.protocol.outgoing import MarkKind

PIECES = [
    "word", " ", "\n", "\r\n", "😀", "é", ". ", ": ", ">> ", ">>", "&gt;&gt; ", "&nbsp;", "&laquo;",
    "&amp;", "<br>", "<b>", "</b>", "<p>", "</p>", "<li>", "<foo>", "a < b", "[", " ]", "[ ",
    "label [ https://e.com/a ]", "[ https://e.com/b ]", '<a href="https://e.com">', "</a>",
]  # fmt: skip
COMMENTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def marked(rendered: Rendered) -> list[tuple[MarkKind, str, str]]:
    """Cut out what each mark covers, as Telegram counts."""
    units = rendered.text.encode("utf-16-le")
    return [
        (mark.kind, units[mark.offset * 2 :][: mark.length * 2].decode("utf-16-le"), mark.value)
        for mark in rendered.marks
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("plain", "plain"),
        ("  padded \n", "padded"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("Docs [ https://e.com ]", "Docs"),
        ("[ https://e.com ]", "https://e.com"),
        ("see: [ https://e.com ]", "see: https://e.com"),
        ("Docs [https://e.com]", "Docs [https://e.com]"),
        ("Docs [ ftp://e.com ]", "Docs [ ftp://e.com ]"),
        ("a [ b ] c", "a [ b ] c"),
        (">> asked\n>>\nanswered", "asked\nanswered"),
        (">>\n>> one\n>>\n>> two\n>>\nrest", "one\n\ntwo\nrest"),
        ("a >> b", "a >> b"),
        (">>> print()", ">>> print()"),
        ("&gt;&gt; asked\nyes", "asked\nyes"),
        ("&laquo;a&raquo;&nbsp;&mdash; &#1103;&unknown; R&D", "«a» — я&unknown; R&D"),
        ("a<br>b<br/>\nc", "a\nb\nc"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "• a\n• b"),
        ("if a < b and c > d: <foo>", "if a < b and c > d: <foo>"),
        ("</b>stray", "stray"),
        (">>\n", ""),
    ],
)
def test_text_reads_as_it_was_meant(source: str, shown: str) -> None:
    """What Planfix writes in its own way is shown as people read it; all else stays."""
    assert render(source).text == shown


@pytest.mark.parametrize(
    ("source", "marks"),
    [
        ("Docs [ https://e.com/a[1] ]", [(MarkKind.LINK, "Docs", "https://e.com/a[1]")]),
        (
            "Hello! Our price list [ https://e.com ], or chat [ https://c.io ]",
            [
                (MarkKind.LINK, "Our price list", "https://e.com"),
                (MarkKind.LINK, "or chat", "https://c.io"),
            ],
        ),
        ("https://e.com [ https://e.com ]", [(MarkKind.LINK, "https://e.com", "https://e.com")]),
        ("one\ntwo [ https://e.com ]", [(MarkKind.LINK, "two", "https://e.com")]),
        ("long " * 20 + "end [ https://e.com ]", [(MarkKind.LINK, "end", "https://e.com")]),
        (
            '<a href="https://e.com/?a=1&amp;b=2">here</a>',
            [(MarkKind.LINK, "here", "https://e.com/?a=1&b=2")],
        ),
        (">> a\n>>\n>> b\n>>\nc", [(MarkKind.QUOTE, "a\n\nb", "")]),
        (
            ">> look [ https://e.com ]\nyes",
            [(MarkKind.QUOTE, "look", ""), (MarkKind.LINK, "look", "https://e.com")],
        ),
        ("😀 <b>bold 😀</b> <i>it</i>", [(MarkKind.BOLD, "bold 😀", ""), (MarkKind.ITALIC, "it", "")]),
        ("<b>open", [(MarkKind.BOLD, "open", "")]),
        ("<s>a</s><u>b</u><code>c</code>", [
            (MarkKind.STRIKE, "a", ""), (MarkKind.UNDERLINE, "b", ""), (MarkKind.CODE, "c", ""),
        ]),
        ("<b> </b>", []),
    ],
)  # fmt: skip
def test_marks_cover_what_they_should(source: str, marks: list[tuple[MarkKind, str, str]]) -> None:
    """Links, quotes, styles cover exactly their words, counted in UTF-16 units."""
    assert marked(render(source)) == marks


def test_links_over_the_limit_stay_readable() -> None:
    """Telegram drops marks over a limit, so further links are left as they are written."""
    rendered = render("a [ https://e.com ]. " * (MOST_LINKS + 1))

    assert len(rendered.marks) == MOST_LINKS
    assert rendered.text.endswith("a [ https://e.com ].")


@given(COMMENTS)
def test_marks_stay_inside_the_text(source: str) -> None:
    """No mark is empty, reaches over the end, or splits a character."""
    rendered = render(source)

    width = width_of(rendered.text)
    assert all(0 <= m.offset < m.offset + m.length <= width for m in rendered.marks)
    marked(rendered)


@given(COMMENTS)
def test_no_word_is_lost(source: str) -> None:
    """Every word, every character that is no notation, is still there."""
    rendered = render(source)

    for token in ("word", "😀", "é", "<foo>"):
        assert rendered.text.count(token) == source.count(token)


@given(COMMENTS)
def test_no_address_is_lost(source: str) -> None:
    """Where a link leads is told by its mark, else by the text."""
    rendered = render(source)

    told = rendered.text + "".join(mark.value for mark in rendered.marks)
    for address in ("https://e.com/a", "https://e.com/b"):
        assert told.count(address) >= source.count(address)


@given(st.text())
def test_text_without_notation_stays(text: str) -> None:
    """A text without anything special comes out as it went in, but for its blank ends."""
    text = "".join(c for c in text if c not in "<>&[]\r\xa0")

    assert render(text) == Rendered(text.strip())


def test_width_counts_as_telegram_does() -> None:
    """A character beyond the first plane takes two units."""
    assert [width_of("a"), width_of("я"), width_of("😀")] == [1, 1, 2]
