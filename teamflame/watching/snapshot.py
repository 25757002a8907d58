"""What was last seen of a board, what has happened since, and who is notified; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from teamflame.store.choices import Kind
from teamflame.store.own_actions import Change, comment_change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from teamflame.service.values import Column, Comment, Person, Task
    from teamflame.store.accounts import Account
    from teamflame.store.choices import Subscription


DUE_SOON: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task as it was seen: ids, dates, and which reminder has been given for its date."""

    column: str
    assignees: tuple[str, ...]
    due: str | None = None
    comments: int | None = None
    reminded: str = ""


Snapshot = dict[str, SeenTask]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a task; `people` are those whom it concerns, None means everybody."""

    kind: Kind
    task: Task
    column: Column
    people: frozenset[str] | None = None
    comment: Comment | None = None
    actor: Person | None = None

    @property
    def change(self) -> Change:
        """The change, in the form in which it was noted if it was made through the gateway."""
        if self.comment is not None:
            return comment_change(self.task.id, self.comment.text)
        about = self.task.column_id if self.kind is Kind.MOVED else ""
        if self.kind is Kind.ASSIGNED:
            [about] = self.people or ("",)
        return Change(self.task.id, self.kind, about)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of a board now, and what has happened since the last time."""

    snapshot: Snapshot
    events: tuple[Event, ...]


def compare(before: Snapshot | None, columns: Sequence[Column], now: datetime) -> Comparison:
    """Find what happened; the first look at a board finds nothing, because there is no comparison."""
    snapshot: Snapshot = {}
    events: list[Event] = []
    for column in columns:
        for task in column.tasks:
            known = None if before is None else before.get(task.id)
            seen = _see(task, known)
            happened = [] if before is None else _changes(known, seen, task, column)
            reminder = _reminder(seen, task, column, now)
            if reminder is not None:
                if before is not None:
                    happened.append(reminder)
                seen = _reminded(seen, reminder.kind)
            snapshot[task.id] = seen
            events += happened
    return Comparison(snapshot, tuple(events))


def write(snapshot: Snapshot) -> str:
    return json.dumps(
        {
            key: [seen.column, seen.assignees, seen.due, seen.comments, seen.reminded]
            for key, seen in snapshot.items()
        },
        separators=(",", ":"),
    )


def read(text: str) -> Snapshot:
    found: Mapping[str, list[Any]] = json.loads(text)
    return {
        key: SeenTask(column, tuple(assignees), due, comments, reminded)
        for key, (column, assignees, due, comments, reminded) in found.items()
    }


def _see(task: Task, known: SeenTask | None) -> SeenTask:
    due = task.due.isoformat() if task.due is not None else None
    comments = len(task.comments) if task.comments is not None else None
    if comments is None and known is not None:
        comments = known.comments  # the comments were not fetched this time
    return SeenTask(
        column=task.column_id,
        assignees=tuple(sorted(person.id for person in task.assignees)),
        due=due,
        comments=comments,
        reminded=known.reminded if known is not None and known.due == due else "",
    )


def _changes(known: SeenTask | None, seen: SeenTask, task: Task, column: Column) -> list[Event]:
    events = []
    creator = task.creator if known is None else None
    if known is None:
        events.append(Event(Kind.CREATED, task, column, actor=creator))
    elif known.column != seen.column:
        events.append(Event(Kind.MOVED, task, column))
    new_people = frozenset(seen.assignees) - frozenset(known.assignees if known else ())
    events += [
        Event(Kind.ASSIGNED, task, column, people=frozenset({person}), actor=creator)
        for person in sorted(new_people)
    ]
    return [*events, *_new_comments(known, task, column)]


def _new_comments(known: SeenTask | None, task: Task, column: Column) -> list[Event]:
    if task.comments is None or (known is not None and known.comments is None):
        return []
    first = 0 if known is None else known.comments or 0
    return [Event(Kind.COMMENTED, task, column, comment=each) for each in task.comments[first:]]


def _reminder(seen: SeenTask, task: Task, column: Column, now: datetime) -> Event | None:
    if task.due is None or column.is_closed:
        return None
    people = frozenset(seen.assignees) or None
    if now >= task.due and seen.reminded != Kind.OVERDUE:
        return Event(Kind.OVERDUE, task, column, people=people)
    if task.due - DUE_SOON <= now < task.due and not seen.reminded:
        return Event(Kind.DUE_SOON, task, column, people=people)
    return None


def _reminded(seen: SeenTask, kind: Kind) -> SeenTask:
    return SeenTask(seen.column, seen.assignees, seen.due, seen.comments, kind.value)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who is notified of what happens on a board."""

    subscription: Subscription
    account: Account


def recipients_of(event: Event, watchers: Sequence[Watcher]) -> list[Watcher]:
    """Choose those who want to know, are concerned, and did not do it themselves."""
    return [
        watcher
        for watcher in watchers
        if event.kind in watcher.subscription.kinds
        and (event.people is None or watcher.account.id in event.people)
        and not _is_own(event, watcher.account)
    ]


def _is_own(event: Event, account: Account) -> bool:
    """Whether this person did it; of comments made elsewhere, only the author's name is known."""
    if event.actor is not None:
        return event.actor.id == account.id
    return event.comment is not None and event.comment.author == account.name
