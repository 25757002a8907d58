"""What becomes of a message, decided without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.messages import (
    Delivered,
    Failed,
    Failure,
    GapFilled,
    IncomingKind,
    MessageEvent,
    PlanfixStatus,
    Trying,
)
from supervisor.database.tables import RowState
from supervisor.journal.values import (
    GapTrace,
    chat_id,
    found_of_others,
    marks_of,
    may_have_been_sent,
    next_status,
    next_try_here,
    peer_of,
    traces_of_gap,
    without_known,
)
from supervisor.journal.worker_report import report_of, split_after_gaps
from tests.unit.supervisor.rows import incoming, picture, received

IDS = st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True).map(sorted)
LATER = Failure(code="planfix_unavailable", next_try=1.0)
LOST = Failure(code="planfix_answer_lost", next_try=1.0)
DEAD = Failure(code="planfix_rejected")


@given(albums=st.lists(IDS, max_size=8))
def test_however_an_album_is_cut_each_message_is_kept_once(albums: list[list[int]]) -> None:
    """Of whatever overlapping albums each message with its file is in one row."""
    known: set[tuple[int, int]] = set()
    kept: list[int] = []

    for ids in albums:
        album = incoming(*ids, files=tuple(map(picture, ids)))
        new = without_known(album, known)  # type: ignore[arg-type]  # marks are tuples
        known.update(marks_of(album))
        if new is not None:
            kept.extend(new.message_ids)
            assert [file.message_id for file in new.files] == list(new.message_ids)

    assert sorted(kept) == sorted({each for ids in albums for each in ids})


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(IncomingKind), st.integers(1, 3), st.integers(1, 3)), max_size=2
    )
)
def test_only_the_same_change_is_the_same(kinds: list[tuple[IncomingKind, int, int]]) -> None:
    """Two events are one if they are of the same kind, message, and for edits of the same date."""
    marks = [
        marks_of(incoming(message_id, what=what, edit_date=date))
        for what, message_id, date in kinds
    ]
    names = {
        (what, message_id, date if what is IncomingKind.EDIT else 0)
        for what, message_id, date in kinds
    }

    assert len({each[0] for each in marks}) == len(names)


@pytest.mark.parametrize(
    ("due", "told", "expected"),
    [
        ("sent", None, "sent"),
        ("read", None, "sent"),
        ("read", "sent", "read"),
        ("read", "error", "sent"),
        ("error", None, "error"),
        ("error", "sent", "error"),
        ("sent", "error", "sent"),
    ],
)
def test_statuses_come_one_after_the_other(due: str, told: str | None, expected: str) -> None:
    """Nothing is told as read that was not told as sent."""
    before = PlanfixStatus(told) if told else None

    assert next_status(PlanfixStatus(due), before) == expected


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure(code="OFFLINE", next_try=1.0), True),
        (Failure(code="OFFLINE"), False),
        (Failure(code="FLOOD_WAIT_7", next_try=1.0), False),
        (Failure(code="USER_IS_BLOCKED"), False),
        (Failure(code="NEEDS_LOGIN", next_try=1.0), False),
    ],
)
def test_only_a_cut_leaves_doubt(failure: Failure, *, expected: bool) -> None:
    """An answer of Telegram's settles a try, whatever it says; the lack of one does not."""
    assert may_have_been_sent(failure) is expected


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ("79001234567_42", 42),
        (" 79001234567_42 ", 42),
        ("79001234568_42", None),
        ("79001234567", None),
        ("79001234567_", None),
        ("79001234567_-42", None),
        ("79001234567_4_2", None),
        ("79001234567_٤٢", None),
        ("79001234567_" + "9" * 40, None),
        ("42", None),
        ("", None),
    ],
)
def test_only_own_chats_are_understood(chat: str, expected: int | None) -> None:
    """A chat id names a chat of this number, or nothing."""
    assert peer_of("79001234567", chat) == expected


@given(peer_id=st.integers(1, 10**15))
def test_chat_id_comes_back(peer_id: int) -> None:
    """The chat id that we tell leads back to the contact."""
    assert peer_of("79001234567", chat_id("79001234567", peer_id)) == peer_id


@given(
    events=st.lists(
        st.sampled_from(
            [
                Trying(row=1),
                Failed(row=1, failure=LATER),
                Failed(row=1, failure=LOST),
                Failed(row=1, failure=DEAD),
                Delivered(row=1),
            ]
        ),
        min_size=1,
    )
)
def test_last_word_counts(events: list[Trying | Failed | Delivered]) -> None:
    """Of all that was said of a row at once the last word is written, every try counted."""
    [word] = report_of(events).outcomes.values()

    assert word.tries == sum(isinstance(event, Trying) for event in events)
    match events[-1]:
        case Trying():
            assert word.state is None
        case Delivered():
            assert word.state is RowState.DELIVERED
        case Failed(failure=failure):
            assert word.failure == failure
            assert (word.state is RowState.DEAD) == (failure is DEAD)
    assert word.is_uncertain == any(isinstance(e, Failed) and e.failure is LOST for e in events)


@given(
    traces=st.lists(
        st.tuples(st.one_of(st.none(), st.integers(1, 99)), st.integers(1, 3)).map(
            lambda pair: GapTrace(*pair)
        )
    ),
    found=st.integers(0, 20),
)
def test_gap_has_the_newest_rows(traces: list[GapTrace], found: int) -> None:
    """The rows of a gap are the new ones among the last messages, as many as were found."""
    of_gap = traces_of_gap(found, traces)

    newest = [trace for trace in reversed(traces) for _ in range(trace.size)][:found]
    assert {trace.row for trace in of_gap} == {trace.row for trace in newest}


def test_own_messages_are_not_found() -> None:
    """Neither what was known as our own at once counts, nor what was dropped as such."""
    of_gap = [GapTrace(None, 1, ours=1), GapTrace(7, 2), GapTrace(8, 1), GapTrace(None, 1)]

    assert found_of_others(5, of_gap, stored={8}) == 2


def test_gap_ends_a_piece() -> None:
    """What comes after a gap is written down after it."""
    gap = GapFilled(pts_from=1, pts_to=2, began=0, found=1, missing=0)
    events: list[MessageEvent] = [received(1), gap, gap, received(2)]

    pieces = list(split_after_gaps(events))

    assert pieces == [[events[0], gap], [gap], [events[3]]]


def test_each_change_of_a_reaction_is_kept() -> None:
    """A reaction that is put and taken back within a second is two changes, and no other mark."""
    reacted = incoming(5).changed(what=IncomingKind.REACTION, text="Reaction: 👍")
    changes = [
        reacted,
        reacted.changed(text="Reaction removed"),
        reacted.changed(is_echo=True),
        incoming(5),
        incoming(5).changed(what=IncomingKind.DELETION),
    ]

    marks = {mark for change in changes for mark in marks_of(change)}

    assert len(marks) == len(changes)


@pytest.mark.parametrize(
    ("next_try", "tried", "now", "here"),
    [
        (None, None, 100.0, 0.0),
        (130.0, 100.0, 110.0, 130.0),
        (130.0, None, 110.0, 130.0),
        (3730.0, 3700.0, 110.0, 140.0),
        (30.0, 0.0, 3600.0, 30.0),
        (100.0, 130.0, 90.0, 90.0),
    ],
)
def test_pause_of_another_machine_is_no_longer_here(
    next_try: float | None, tried: float | None, now: float, here: float
) -> None:
    """A message waits until the moment that was written down, but never longer than the pause was."""
    assert next_try_here(next_try, tried, now) == here
