"""The content of a workspace, and what its people may do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.teamflame.errors import ServiceError
from sandbox.teamflame.records import (
    PRIORITIES,
    Board,
    Column,
    Comment,
    Json,
    Person,
    Project,
    Space,
    Task,
)
from sandbox.teamflame.settings import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Record = TypeVar("Record", Space, Project, Board, Column, Task)

_LONGEST_NAME = 500
_LONGEST_TEXT = 50_000


class Content:
    """Everything in a workspace; every change names the person who makes it."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.spaces: dict[str, Space] = {}
        self.projects: dict[str, Project] = {}
        self.boards: dict[str, Board] = {}
        self.columns: dict[str, Column] = {}
        self.tasks: dict[str, Task] = {}

    def person_of(self, email: str) -> Person | None:
        return next((p for p in self.people.values() if p.email == email.lower()), None)

    def spaces_of(self, person: Person) -> list[Space]:
        return [space for space in self.spaces.values() if person.id in space.members]

    def open(self, records: Mapping[str, Record], key: object, person: Person) -> Record:
        """Return what a person may see; tell unknown and forbidden apart, as the service does."""
        found = records.get(key) if isinstance(key, str) else None
        if found is None:
            raise ServiceError(404, "Not found")
        if person.id not in self._space_of(found).members:
            raise ServiceError(403, "Forbidden resource")
        return found

    def add_space(self, person: Person, name: object) -> Space:
        space = Space(_name(name), [person.id], person.id)
        self.spaces[space.id] = space
        return space

    def add_project(self, person: Person, space: object, name: object, key: object) -> Project:
        place = self.open(self.spaces, space, person)
        project = Project(_name(name), place.id, str(key or "TF"))
        self.projects[project.id] = project
        return project

    def add_board(
        self, person: Person, project: object, name: object, columns: Iterable[str] = COLUMNS
    ) -> Board:
        place = self.open(self.projects, project, person)
        board = Board(_name(name), place.id, place.space)
        self.boards[board.id] = board
        for title in columns:
            self.add_column(person, board.id, title).is_closed = title == COLUMNS[-1]
        return board

    def add_column(self, person: Person, board: object, name: object) -> Column:
        place = self.open(self.boards, board, person)
        column = Column(_name(name), place.id, place.project)
        self.columns[column.id] = column
        place.columns.append(column.id)
        return column

    def add_task(self, person: Person, fields: Json) -> Task:
        column = self.open(self.columns, fields.get("columnId"), person)
        board, project = self.boards[column.board], self.projects[column.project]
        project.tasks_made += 1
        task = Task(
            name=_name(fields.get("name")),
            column=column.id,
            board=board.id,
            project=project.id,
            space=project.space,
            number=f"{project.key}-{project.tasks_made}",
            creator=person,
        )
        self.change_task(person, task, {key: v for key, v in fields.items() if key != "columnId"})
        self.tasks[task.id] = task
        return task

    def change_task(self, person: Person, task: Task, fields: Json) -> None:
        """Change the fields that are given; those that the service does not know are ignored."""
        if "columnId" in fields:
            self.move_task(person, task, fields["columnId"])
        if "name" in fields:
            task.name = _name(fields["name"])
        if "description" in fields:
            task.description = _text(fields["description"])
        if "users" in fields:
            task.assignees = self._assignees(task, fields["users"])
        if fields.get("priority") in PRIORITIES:
            task.priority = fields["priority"]
        if isinstance(fields.get("status"), list):
            task.status = [str(label) for label in fields["status"]]
        task.start_date = _date(fields.get("startDate", task.start_date))
        task.end_date = _date(fields.get("endDate", task.end_date))
        task.touch()

    def move_task(self, person: Person, task: Task, column: object) -> None:
        place = self.open(self.columns, column, person)
        if place.board != task.board:
            raise ServiceError(400, "The column is on another board")
        task.column = place.id
        # The newest card of a column is the last, so a new card goes to the end.
        self.tasks[task.id] = self.tasks.pop(task.id, task)
        task.touch()

    def add_comment(self, person: Person, task: object, text: object) -> Comment:
        place = self.open(self.tasks, task, person)
        comment = Comment(person, _name(text, _LONGEST_TEXT))
        place.comments.append(comment)
        return comment

    def _assignees(self, task: Task, users: object) -> list[str]:
        if not isinstance(users, list):
            raise ServiceError(400, "users must be an array")
        keys = [str(user.get("id") if isinstance(user, dict) else user) for user in users]
        members = self.spaces[task.space].members
        if any(key not in members for key in keys):
            raise ServiceError(400, "users must be in the space")
        return keys

    def _space_of(self, record: Space | Project | Board | Column | Task) -> Space:
        match record:
            case Space():
                return record
            case Column():
                return self.spaces[self.projects[record.project].space]
            case _:
                return self.spaces[record.space]


def _name(value: object, longest: int = _LONGEST_NAME) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise ServiceError(400, "name should not be empty or too long")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ServiceError(400, "description must be a string")
    return value


def _date(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ServiceError(400, "a date must be an ISO 8601 date string")
    return value or None
