"""What an employee wrote, cut into messages that Telegram takes."""

from __future__ import annotations

from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.formatting.plan import (
    LONGEST_ALBUM,
    LONGEST_CAPTION,
    LONGEST_TEXT,
    arrange,
    draw_random_id,
    plan,
    repair_surrogates,
    split,
)
from session_worker.formatting.rendering import render, width_of
from session_worker.protocol.outgoing import Attachment, Mark, MarkKind, Part

PIECES = [
    "word", " ", "\n", "\n\n", ". ", "😀", "\u200d", "e\u0301", ">> ", ">>", ">", "&amp;", "<b>", "</b>",
    "label [ https://e.com/a ]", "[ https://e.com/b ]", "<br>", "&gt;&gt; ", "x" * 30, "   ",
]  # fmt: skip
COMMENTS = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)


def files(*names: str) -> list[Attachment]:
    return [Attachment(name=name, url=f"https://e.com/{name}") for name in names]


def planned(text: str, *names: str) -> tuple[Part, ...]:
    ids = count(1)
    return plan(text, files(*names), lambda: next(ids))


@given(COMMENTS, st.integers(70, 120))
def test_nothing_is_lost_by_cutting(text: str, limit: int) -> None:
    """The pieces joined are the text, unless there is nothing to read in it."""
    pieces = split(text, limit)

    assert "".join(pieces) == (text if render(text).text else "")


@given(COMMENTS, st.integers(70, 120))
def test_every_piece_can_be_sent(text: str, limit: int) -> None:
    """No piece shows more than the limit, none shows nothing."""
    for piece in split(text, limit):
        assert 0 < width_of(render(piece).text) <= limit


@given(COMMENTS, st.integers(70, 120))
def test_links_are_cut_nowhere(text: str, limit: int) -> None:
    """As many links come out of the pieces as are in the text."""
    shown = [render(piece) for piece in split(text, limit)]

    told = "".join(r.text + "".join(mark.value for mark in r.marks) for r in shown)
    assert told.count("https://e.com/") == text.count("https://e.com/")


@given(st.text(st.characters(exclude_characters="<>&[\r\xa0"), max_size=100))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    """Without a sign that could mean something else a text is one piece, which needs no look at it."""
    shown = render(text).text

    assert shown == text.strip()
    assert split(text) == ([text] if shown else [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(2, 50))
def test_any_text_can_be_cut(text: str, limit: int) -> None:
    """Whatever is typed, the pieces joined are the text."""
    assert "".join(split(text, limit)) == (text if render(text).text else "")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("short", ["short"]),
        ("one two. three\n\nfour five", ["one two. three\n\n", "four five"]),
        ("one two. three\nfour five", ["one two. three\n", "four five"]),
        ("one two three. four five", ["one two three. ", "four five"]),
        ("one two three four five", ["one two three four ", "five"]),
        ("x" * 25, ["x" * 20, "x" * 5]),
        ("x" * 19 + "😀" + "y", ["x" * 19, "😀y"]),
        ("x" * 19 + "e\u0301y", ["x" * 19, "e\u0301y"]),
        (
            "a" * 12 + ". my label [ https://e.com ]",
            ["a" * 12 + ". ", "my label [ https://e.com ]"],
        ),
        ("x" * 15 + " >>not a quote", ["x" * 15 + " >>no", "t a quote"]),
    ],
)
def test_cuts_are_made_where_a_reader_expects_them(text: str, pieces: list[str]) -> None:
    """A paragraph's end is better than a line's, a sentence's, a word's; a character is whole."""
    assert split(text, 20) == pieces


def test_long_text_makes_several_messages() -> None:
    """A text over the limit is sent as several messages, each under its own random id."""
    parts = planned("word " * 2000)

    assert [part.random_ids for part in parts] == [(1,), (2,), (3,)]
    assert all(width_of(render(part.text).text) <= LONGEST_TEXT for part in parts)
    assert all(not part.files for part in parts)


def test_short_text_goes_with_the_file() -> None:
    """A text that fits is the caption; it keeps an id of its own for when it can't be."""
    assert planned("hi", "a.pdf") == (Part(text="hi", files=(0,), random_ids=(1, 2)),)


def test_text_too_long_for_a_caption_goes_first() -> None:
    """The limit of a caption counts what is shown, not what is written."""
    fits = "x" * LONGEST_CAPTION + " [ https://e.com ]"

    long, link = planned("x" * (LONGEST_CAPTION + 1), "a.pdf"), planned("&amp;" * 400, "a.pdf")

    assert [(bool(part.text), part.files) for part in long] == [(True, ()), (False, (0,))]
    assert [(bool(part.text), part.files) for part in link] == [(True, (0,))]
    assert len(planned(fits, "a.pdf")) == 2


def test_files_alone_need_no_text() -> None:
    """An empty text with files sends the files."""
    assert planned(" \n", "a.pdf") == (Part(files=(0,), random_ids=(1,)),)


def test_nothing_makes_no_message() -> None:
    """Without text and files there is nothing to send."""
    assert planned(" \n ") == ()


def test_pictures_and_videos_become_albums() -> None:
    """Pictures, videos come first in albums of ten; everything else goes one by one."""
    names = [f"{n}.jpg" for n in range(11)] + ["b.pdf", "c.MP4", "d.ogg", "noname"]

    parts = planned("", *names)

    assert [part.files for part in parts] == [
        (*range(LONGEST_ALBUM),),
        (10, 12),
        (11,),
        (13,),
        (14,),
    ]


@given(st.text(max_size=50), st.lists(st.sampled_from(["a.jpg", "b.pdf", "c.mp4"]), max_size=25))
def test_every_file_is_sent_once(text: str, names: list[str]) -> None:
    """Each file is in one part; each message has an id; no id is used twice."""
    parts = planned(text, *names)

    assert sorted(chain(*(part.files for part in parts))) == list(range(len(names)))
    ids = list(chain(*(part.random_ids for part in parts)))
    assert len(set(ids)) == len(ids)
    for part in parts:
        assert len(part.files) <= LONGEST_ALBUM
        assert len(part.random_ids) == len(part.files) + bool(part.text)


def test_random_ids_fit_the_wire() -> None:
    """A drawn id is positive, fits into 64 bits with a sign."""
    assert all(0 < draw_random_id() < 2**63 for _ in range(100))


def test_halves_of_characters_do_not_break_the_rest() -> None:
    """Two halves become the character they are; a lone one is replaced, as it can't be sent."""
    assert repair_surrogates("a\ud83d\ude00b\ud800c") == "a😀b\ufffdc"


def test_marked_text_keeps_its_marks() -> None:
    """A text with marks of its own becomes a part with exactly these."""
    marks = (Mark(kind=MarkKind.BOLD, offset=0, length=4),)

    [part] = arrange([("bold", marks)], [], can_be_caption=True)

    assert (part.text, part.marks, part.files) == ("bold", marks, ())
