"""What TeamFlame holds, as values; all texts in them are plain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    """The widest container."""

    id: str
    name: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A container of boards."""

    id: str
    name: str
    space_id: str


@dataclass(frozen=True, slots=True)
class Board:
    """A board without its columns."""

    id: str
    name: str
    project_id: str
    space_id: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a task; older ones may have no id and no time."""

    id: str
    author: str
    text: str
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A card; its comments are None where the service did not give them."""

    id: str
    title: str
    column_id: str
    board_id: str
    project_id: str
    space_id: str
    number: str = ""
    description: str = ""
    priority: str = ""
    assignees: tuple[Person, ...] = ()
    creator: Person | None = None
    start: datetime | None = None
    due: datetime | None = None
    created: datetime | None = None
    updated: datetime | None = None
    comments: tuple[Comment, ...] | None = None

    def at(self, column_id: str, board_id: str = "") -> Task:
        """Add the place of the task, which the service may leave out where it lists tasks by their place."""
        return replace(
            self, column_id=self.column_id or column_id, board_id=self.board_id or board_id
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its tasks."""

    id: str
    name: str
    board_id: str
    color: str = ""
    is_closed: bool = False
    tasks: tuple[Task, ...] = ()

    def on(self, board_id: str) -> Column:
        """Add the board and the places of the tasks, as far as the service has left them out."""
        place = self.board_id or board_id
        tasks = tuple(task.at(self.id, place) for task in self.tasks)
        return replace(self, board_id=place, tasks=tasks)


@dataclass(frozen=True, slots=True)
class Access:
    """What signing in gives: an access token, and with what and from when on to renew it."""

    token: str
    renew_at: datetime
    refresh: str
    person: Person
