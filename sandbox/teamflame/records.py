"""What a TeamFlame workspace holds: people, spaces, projects, boards, columns, tasks, comments."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
PRIORITIES = ("none", "low", "middle", "high")


def new_id() -> str:
    """Make an id like the service's, which are MongoDB's."""
    return secrets.token_hex(12)


def timestamp() -> str:
    """Write the time as the service does: UTC with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Person:
    """Somebody with an account."""

    email: str
    password: str
    first_name: str
    last_name: str
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=timestamp)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "email": self.email,
            "name": f"{self.first_name} {self.last_name}".strip(),
            "firstName": self.first_name,
            "lastName": self.last_name,
            "surName": "",
            "avatar": None,
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
        }


@dataclass(slots=True)
class Space:
    """The widest container; its members may see and change everything in it."""

    name: str
    members: list[str]
    owner: str
    id: str = field(default_factory=new_id)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "logo": "",
            "color": "#4F46E5",
            "description": "",
            "users": list(self.members),
            "owner": self.owner,
            "invites": [],
        }


@dataclass(slots=True)
class Project:
    """A container of boards."""

    name: str
    space: str
    key: str
    id: str = field(default_factory=new_id)
    tasks_made: int = 0

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "description": "",
            "space": self.space,
            "projectKey": self.key,
            "private": False,
            "folders": [],
        }


@dataclass(slots=True)
class Board:
    """A board with its columns in order."""

    name: str
    project: str
    space: str
    columns: list[str] = field(default_factory=list)
    id: str = field(default_factory=new_id)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "logo": "",
            "columns": list(self.columns),
            "projectId": self.project,
            "spaceId": self.space,
            "isPersonal": False,
        }


@dataclass(slots=True)
class Column:
    """A column, which is the state of the tasks in it."""

    name: str
    board: str
    project: str
    color: str = "#94A3B8"
    is_closed: bool = False
    id: str = field(default_factory=new_id)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "boardId": self.board,
            "projectId": self.project,
            "color": self.color,
            "isClose": self.is_closed,
            "isQueue": False,
        }


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; its text may be plain or HTML, as its author's client sent it."""

    author: Person
    text: str
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=timestamp)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "text": self.text,
            "userName": self.author.as_json()["name"],
            "user": self.author.id,
            "createdAt": self.created_at,
        }


@dataclass(slots=True)
class Task:
    """A card on a board."""

    name: str
    column: str
    board: str
    project: str
    space: str
    number: str
    creator: Person
    description: str = ""
    priority: str = "none"
    status: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    start_date: str | None = None
    end_date: str | None = None
    comments: list[Comment] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=timestamp)
    updated_at: str = field(default_factory=timestamp)

    def touch(self) -> None:
        self.updated_at = timestamp()
