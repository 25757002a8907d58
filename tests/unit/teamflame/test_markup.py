"""HTML from TeamFlame becomes the text that its reader sees, and our text comes back unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamflame.service.markup import to_markup, to_text

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=30)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("List<String>", "List<String>"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("<p>One<br>Two</p>", "One\nTwo"),
        ("<ul><li>One</li><li>Two</li></ul>", "• One\n• Two"),
        ("<p>a &lt;b&gt; &amp; c</p>", "a <b> & c"),
        ("<p>Hi<script>alert(1)</script></p>", "Hi"),
        ("<p>Hi<style>p{}</style> there</p>", "Hi there"),
        ("<p onclick='x()'>Hi</p>", "Hi"),
        ("<a href='https://a.example'>here</a>", "here (https://a.example)"),
        ("<a href='javascript:alert(1)'>here</a>", "here"),
        ("<p>List<T></p>", "List<T>"),
        ("<p>open", "open"),
        ("<div><div><b>deep</b></div></div>", "deep"),
    ],
)
def test_markup_is_read(markup: str, text: str) -> None:
    """A reader sees words and lines, no tags of HTML and no scripts."""
    assert to_text(markup) == text


@given(st.lists(WORDS, max_size=5).map("\n".join))
def test_own_text_comes_back(text: str) -> None:
    """Whatever somebody writes, TeamFlame shows it, and we read it again, as they wrote it."""
    seen = "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
    again = "\n".join(" ".join(line.split()) for line in to_text(to_markup(text)).split("\n"))

    while "\n\n\n" in seen:
        seen = seen.replace("\n\n\n", "\n\n")
    while "\n\n\n" in again:
        again = again.replace("\n\n\n", "\n\n")
    assert again == seen


@given(st.text(max_size=100))
def test_own_text_is_no_markup(text: str) -> None:
    """What we write contains no tag but the paragraph and line breaks that we make."""
    written = to_markup(text).removeprefix("<p>").removesuffix("</p>").replace("<br>", "")

    assert "<" not in written or written == text


@given(st.text(alphabet="<>/&;pbrscipt \n\"'a=!-", max_size=60))
def test_nothing_breaks_the_reader(markup: str) -> None:
    """However broken the HTML is, it becomes some text."""
    assert isinstance(to_text(markup), str)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><![foo[bar]]>", "a"),
        ("<p>a<![if gte mso 9]>b<![endif]></p>", "ab"),
        ("<p>a<!-- b -->c</p>", "ac"),
        ("<p>a<!-- b", "a<!-- b"),
        (f"<p>a&#{'1' * 5000};</p>", "a\ufffd"),
        (f"<a href='https://a.example/&#{'1' * 5000};'>a</a>", "a (https://a.example/\ufffd)"),
        ('<a class="x" href=https://a.example>a</a>', "a (https://a.example)"),
    ],
)
def test_hostile_markup_is_read(markup: str, text: str) -> None:
    """What office programs and attackers leave in a text makes no board unreadable for all others."""
    assert to_text(markup) == text


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<a ",
            "<a x=",
            "<a b='",
            '<a "',
            "<a/",
            "<div\n",
            "<x",
            "<!--",
            "<!-",
            "<![",
            "<?",
            "</",
        ),
        *("<p>", "<a href=x>", "<a href='", "&#", "&", "<script>", "</script ", "<", "\n", " "),
    ],
)
def test_no_markup_takes_long(piece: str) -> None:
    """The boards of all people are read where all numbers are served.

    Where the time grew with the square of the length, this would never end.
    """
    assert isinstance(to_text("<p>" + piece * (10**6 // len(piece))), str)
