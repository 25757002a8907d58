"""Albums become one message without holding anything else up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from session_worker.inbound.albums import Albums, AlbumTiming, CompleteMessage
from session_worker.protocol.messages import Contact, Incoming, IncomingFile
from session_worker.telegram.reading.message_parser import ParsedMessage
from session_worker.texts import texts_of

WORDS = texts_of("en")
LIBRARY_WAITS = 0.5  # seconds for a late update before it fetches what is missing
QUIET = AlbumTiming().quiet


def item(message_id: int, peer: int = 7, album: int | None = None, text: str = "") -> ParsedMessage:
    file = IncomingFile(message_id=message_id, name="a", mime="a/b", size=1)
    incoming = Incoming(
        peer_id=peer,
        message_ids=(message_id,),
        date=0,
        text=text,
        contact=Contact(peer_id=peer),
        files=(file,),
    )
    return ParsedMessage(incoming, "Photo", album)


def ids(gathered: list[CompleteMessage]) -> list[tuple[int, ...]]:
    return [each.incoming.message_ids for each in gathered]


def test_an_album_waits_until_it_is_quiet() -> None:
    """Items that come together are one message with all files, in the order of their ids."""
    albums = Albums(WORDS)
    assert albums.add((11,), item(2, album=1), 0.0) == []
    assert albums.add((10,), item(1, album=1, text="caption"), 0.3) == []

    assert albums.close_due(0.3 + QUIET - 0.01) == []
    (gathered,) = albums.close_due(0.3 + QUIET)

    assert gathered.positions == (11, 10)
    assert gathered.incoming.message_ids == (1, 2)
    assert gathered.incoming.text == "caption"
    assert [file.message_id for file in gathered.incoming.files] == [1, 2]
    assert albums.next_due is None


def test_preface_of_an_album_is_said_once() -> None:
    """That an album was forwarded stands once above its captions, whichever items have one."""
    albums = Albums(WORDS)
    for place, caption in enumerate(["", "first", "", "second"], start=1):
        text = "\n".join(filter(None, ("Forwarded from Bo", caption)))
        forwarded = replace(item(place, album=1, text=text), preface="Forwarded from Bo")
        albums.add((place,), forwarded, 0.0)

    (gathered,) = albums.close_all()

    assert gathered.incoming.text == "Forwarded from Bo\nfirst\nsecond"


def test_an_album_outlasts_the_wait_for_a_late_item() -> None:
    """Each item that comes within the library's wait, or a little later, joins the others."""
    albums = Albums(WORDS)
    moments = [place * 2 * LIBRARY_WAITS for place in range(10)]
    for place, now in enumerate(moments):
        assert albums.close_due(now) == []
        assert albums.add((place,), item(place, album=1), now) == []

    (gathered,) = albums.close_due(moments[-1] + QUIET)
    assert gathered.incoming.message_ids == tuple(range(10))


def test_silence_means_nothing_while_more_may_come() -> None:
    """While updates are known to be missing an album stays open, yet not for ever."""
    albums = Albums(WORDS, AlbumTiming(quiet=1, longest=5))
    albums.add((1,), item(1, album=1), 0.0)

    for now in (1.0, 2.0, 3.0, 4.0):
        assert albums.close_due(now, more_may_come=True) == []
    albums.add((2,), item(2, album=1), 4.5)

    assert ids(albums.close_due(5.0, more_may_come=True)) == [(1, 2)]


def test_another_message_of_the_chat_ends_an_album() -> None:
    """Order within a chat is kept; other chats do not matter."""
    albums = Albums(WORDS)
    albums.add((1,), item(1, album=1), 0.0)

    assert ids(albums.add((2,), item(2, peer=8), 0.0)) == [(2,)]
    assert ids(albums.add((3,), item(3), 0.0)) == [(1,), (3,)]


def test_an_album_ends_where_the_next_begins() -> None:
    """Two albums in a row stay two."""
    albums = Albums(WORDS)
    albums.add((1,), item(1, album=1), 0.0)

    assert ids(albums.add((2,), item(2, album=2), 0.0)) == [(1,)]
    assert ids(albums.close_all()) == [(2,)]


def test_what_has_no_text_is_called_by_its_label() -> None:
    """One picture is a photo, several are an album."""
    albums = Albums(WORDS)
    (single,) = albums.add((1,), item(1), 0.0)
    albums.add((2,), item(2, album=1), 0.0)
    albums.add((3,), item(3, album=1), 0.0)

    assert single.incoming.text == "Photo"
    assert [each.incoming.text for each in albums.close_all()] == ["Album (2)"]


@given(st.lists(st.tuples(st.integers(1, 3), st.none() | st.integers(1, 2)), max_size=30))
def test_everything_comes_out_once_in_order(chats: list[tuple[int, int | None]]) -> None:
    """Whatever is mixed, each chat's messages come out once, in order, with their places."""
    albums = Albums(WORDS)
    out = []
    for place, (peer, album) in enumerate(chats):
        out += albums.add((place,), item(place, peer, album), float(place % 3))
        out += albums.close_due(float(place % 3))
    out += albums.close_all()

    for peer in (1, 2, 3):
        mine = [
            i for each in out if each.incoming.peer_id == peer for i in each.incoming.message_ids
        ]
        assert mine == [place for place, (owner, _) in enumerate(chats) if owner == peer]
    assert sorted(p for each in out for p in each.positions) == list(range(len(chats)))
