"""From two looks at a board to what has happened, to whom it is told, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamflame.service.values import Column, Comment, Person, Task
from teamflame.store.accounts import Account
from teamflame.store.choices import ALL_KINDS, Kind, Subscription
from teamflame.store.own_actions import Change, comment_change
from teamflame.texts import texts_of
from teamflame.watching.board_watch import Pace, describe
from teamflame.watching.snapshot import (
    Event,
    Snapshot,
    Watcher,
    compare,
    read,
    recipients_of,
    write,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ANNA, BORIS = Person("anna", "Anna"), Person("boris", "Boris")
TASK = Task("t1", "Bake", "todo", "b1", "p1", "s1", comments=())


def board(*tasks: Task) -> tuple[Column, ...]:
    """Put each task into its column."""
    return tuple(
        Column(key, key, "b1", is_closed=key == "closed", tasks=tuple(inside))
        for key in ("todo", "done", "closed")
        for inside in [[task for task in tasks if task.column_id == key]]
    )


def seen(*tasks: Task, at: datetime = NOW) -> Snapshot:
    return compare(None, board(*tasks), at).snapshot


def happened(before: Task, after: Task, at: datetime = NOW) -> list[Kind]:
    return [event.kind for event in compare(seen(before), board(after), at).events]


def test_first_look_tells_nothing() -> None:
    """What was there before somebody watched is no news, not even what is overdue."""
    old = replace(TASK, due=NOW - timedelta(days=9), assignees=(ANNA,), comments=(_comment("1"),))

    first = compare(None, board(old), NOW)

    assert first.events == ()
    assert compare(first.snapshot, board(old), NOW).events == ()


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        (TASK, []),
        (replace(TASK, title="Roast", description="x"), []),
        (replace(TASK, column_id="done"), [Kind.MOVED]),
        (replace(TASK, assignees=(ANNA,)), [Kind.ASSIGNED]),
        (replace(TASK, due=NOW + timedelta(hours=1)), [Kind.DUE_SOON]),
        (replace(TASK, due=NOW + timedelta(days=3)), []),
        (replace(TASK, due=NOW), [Kind.OVERDUE]),
        (replace(TASK, due=NOW, column_id="closed"), [Kind.MOVED]),
        (replace(TASK, comments=None), []),
    ],
)
def test_one_change(after: Task, kinds: list[Kind]) -> None:
    """Each change is one event, and changes that concern nobody are none."""
    assert happened(TASK, after) == kinds


def test_new_task_and_comments() -> None:
    """A new task is news together with its people and comments, of which each is told once."""
    new = replace(TASK, id="t2", creator=BORIS, assignees=(ANNA,), comments=(_comment("Hi"),))

    found = compare(seen(TASK), board(TASK, new), NOW)
    again = compare(found.snapshot, board(TASK, replace(new, comments=(_comment("Hi"),) * 3)), NOW)

    assert [event.kind for event in found.events] == [Kind.CREATED, Kind.ASSIGNED, Kind.COMMENTED]
    assert found.events[0].actor == BORIS
    assert found.events[1].people == frozenset({ANNA.id})
    assert [event.kind for event in again.events] == [Kind.COMMENTED, Kind.COMMENTED]


def test_comments_that_were_not_read() -> None:
    """When nobody wants comments they are not read; later the old ones are no news."""
    unread = compare(seen(replace(TASK, comments=None)), board(replace(TASK, comments=None)), NOW)
    talk = replace(TASK, comments=(_comment("1"),))

    assert compare(unread.snapshot, board(talk), NOW).events == ()


def test_reminders_come_once_for_each_date() -> None:
    """Near the date and after it there is one reminder each; another date begins anew."""
    due = replace(TASK, due=NOW + timedelta(hours=30), assignees=(ANNA,))
    kinds, snapshot = [], seen(due)
    for hours in range(0, 60, 5):
        found = compare(snapshot, board(due), NOW + timedelta(hours=hours))
        kinds += [(event.kind, event.people) for event in found.events]
        snapshot = found.snapshot
    people = frozenset({ANNA.id})
    later = replace(due, due=NOW + timedelta(hours=70))

    assert kinds == [(Kind.DUE_SOON, people), (Kind.OVERDUE, people)]
    moved = compare(snapshot, board(later), NOW + timedelta(hours=60))
    assert [event.kind for event in moved.events] == [Kind.DUE_SOON]


def test_vanished_task_is_forgotten() -> None:
    """A task that was deleted leaves the snapshot without news."""
    found = compare(seen(TASK), board(), NOW)

    assert (found.snapshot, found.events) == ({}, ())


@given(
    st.lists(
        st.builds(
            Task,
            id=st.text(max_size=4),
            title=st.text(max_size=3),
            column_id=st.sampled_from(["todo", "done"]),
            board_id=st.just("b"),
            project_id=st.just("p"),
            space_id=st.just("s"),
            due=st.none() | st.just(NOW),
            comments=st.none() | st.just(()),
        ),
        max_size=4,
    )
)
def test_snapshots_are_stored_as_they_are(tasks: list[Task]) -> None:
    """What is read back compares equal, so a restart makes no news."""
    snapshot = seen(*tasks)

    assert read(write(snapshot)) == snapshot


def _comment(text: str) -> Comment:
    return Comment(f"c-{text}", "Boris", text)


def watcher(person: Person, *kinds: Kind) -> Watcher:
    account = Account(person.id, "", person.name, needs_sign_in=False)
    return Watcher(Subscription(1, "b1", frozenset(kinds or ALL_KINDS)), account)


COLUMN = board()[0]
SAID_BY_A_NAMESAKE = Comment("c", "Boris", "Hi")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Event(Kind.MOVED, TASK, COLUMN), ["Anna", "Boris"]),
        (Event(Kind.CREATED, TASK, COLUMN, actor=BORIS), ["Anna"]),
        (Event(Kind.ASSIGNED, TASK, COLUMN, people=frozenset({"boris"})), ["Boris"]),
        (Event(Kind.COMMENTED, TASK, COLUMN, comment=Comment("c", "Boris", "Hi")), ["Anna"]),
        (Event(Kind.COMMENTED, TASK, COLUMN, comment=SAID_BY_A_NAMESAKE, actor=ANNA), ["Boris"]),
    ],
)
def test_whom_an_event_concerns(event: Event, told: list[str]) -> None:
    """An event is told to those whom it concerns and who did not do it."""
    watchers = [watcher(ANNA), watcher(BORIS), watcher(Person("c", "C"), Kind.DUE_SOON)]

    found = recipients_of(event, watchers)

    assert [each.account.name for each in found] == told


def test_changes_are_recognised() -> None:
    """A change on the board is named as whoever makes it through us has noted it."""
    after = replace(
        TASK, column_id="done", assignees=(ANNA, BORIS), comments=(_comment("Hi\nyou"),)
    )

    found = compare(seen(TASK), board(after), NOW)

    assert [event.change for event in found.events] == [
        Change("t1", Kind.MOVED, "done"),
        Change("t1", Kind.ASSIGNED, "anna"),
        Change("t1", Kind.ASSIGNED, "boris"),
        comment_change("t1", " Hi you "),
    ]
    assert comment_change("t1", "Hi") != comment_change("t1", "Ho")


@pytest.mark.parametrize(
    ("language", "event", "text"),
    [
        ("en", Event(Kind.MOVED, TASK, COLUMN, actor=BORIS), "Bake moved to “todo” by Boris"),
        ("ru", Event(Kind.MOVED, TASK, COLUMN, actor=BORIS), "Bake теперь в «todo» (Boris)"),
        (
            "uk",
            Event(Kind.ASSIGNED, TASK, COLUMN, actor=BORIS),
            "Вам призначено завдання Bake (Boris)",
        ),
        ("en", Event(Kind.MOVED, TASK, COLUMN), "Bake moved to “todo”"),
        ("en", Event(Kind.CREATED, TASK, COLUMN, actor=BORIS), "New task in “todo”: Bake by Boris"),
        (
            "en",
            Event(Kind.ASSIGNED, TASK, COLUMN, actor=BORIS),
            "You were assigned to Bake by Boris",
        ),
    ],
)
def test_who_did_it_is_named(language: str, event: Event, text: str) -> None:
    """A text names whoever did it, if that is known."""
    assert describe(event, texts_of(language)) == text


@pytest.mark.parametrize(
    ("is_open", "unchanged", "failures", "pause"),
    [
        (True, 9, 0, 15),
        (False, 0, 0, 15),
        (False, 49, 0, 60),
        (False, 99, 0, 120),
        (True, 0, 1, 60),
        (True, 0, 9, 600),
    ],
)
def test_pace(*, is_open: bool, unchanged: int, failures: int, pause: float) -> None:
    """An open board is looked at often, a quiet or failing one seldom, and no two at once."""
    pauses = [
        Pace().pause(is_open=is_open, unchanged=unchanged, failures=failures, jitter=jitter)
        for jitter in (0.0, 0.5, 1.0)
    ]

    assert pauses == pytest.approx([pause * 0.85, pause, pause * 1.15])
