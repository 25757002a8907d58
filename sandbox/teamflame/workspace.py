"""One TeamFlame workspace: its content, tokens and faults, and what its people do in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from sandbox.planfix.fault import Fault, add_fault
from sandbox.teamflame.content import Content
from sandbox.teamflame.errors import ServiceError
from sandbox.teamflame.records import Board, Column, Comment, Json, Person, Space, Task
from sandbox.teamflame.sign_in import Tokens
from sandbox.teamflame.views import show_task, show_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.teamflame.calls import Call
    from sandbox.teamflame.settings import (
        BoardSettings,
        SpaceSettings,
        TaskSettings,
        WorkspaceSettings,
    )

Thing = TypeVar("Thing", Board, Column, Task)
_DAY = 24 * 3600


class Act(BaseModel):
    """Something that one of the people does, as if in a browser; a name or an id names each thing.

    `expire` ends the person's access tokens, `sign_out` the refresh tokens too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    do: Literal["create", "move", "comment", "change", "delete", "expire", "sign_out"]
    board: str | None = None
    task: str | None = None
    column: str | None = None
    name: str | None = None
    text: str | None = None
    assignees: tuple[str, ...] | None = None
    start: str | None = None
    due: str | None = None


class Workspace:
    """Holds everything of one TeamFlame."""

    def __init__(self, name: str, url: str, settings: WorkspaceSettings) -> None:
        self.name = name
        self.url = url
        self.settings = settings
        self.content = Content()
        self.tokens = Tokens(settings.token_lifetime)
        self.calls: list[Call] = []
        self.faults: tuple[Fault, ...] = ()
        for each in settings.people:
            person = Person(each.email.lower(), each.password, each.first_name, each.last_name)
            self.content.people[person.id] = person
        for space in settings.spaces:
            self._add_space(space)

    def describe(self) -> Json:
        return {
            "workspace": self.name,
            "auth_url": f"{self.url}/auth",
            "api_url": f"{self.url}/api",
            "profile": self.settings.profile.value,
            "people": [
                {"id": each.id, "email": each.email, "password": each.password}
                for each in self.content.people.values()
            ],
            "spaces": show_tree(self.content),
            "faults": [fault.model_dump(exclude_unset=True) for fault in self.faults],
        }

    def add_fault(self, fault: Fault) -> None:
        self.faults = add_fault(self.faults, fault)

    def clear_faults(self) -> None:
        self.faults = ()

    def act(self, act: Act) -> Json:
        """Do something in the name of a person; return the task that it is about."""
        person = self._person(act.by)
        if act.do in {"expire", "sign_out"}:
            self.tokens.expire(person.id, with_refresh=act.do == "sign_out")
            return {}
        board = self._board(act.board)
        if act.do == "create":
            column = self._column(board, act.column)
            fields = {"name": act.name, "columnId": column.id, **self._fields(act)}
            return show_task(self.content, self.content.add_task(person, fields))
        task = self._task(board, act.task)
        match act.do:
            case "move":
                self.content.move_task(person, task, self._column(board, act.column).id)
            case "comment":
                self.content.add_comment(person, task.id, act.text)
            case "delete":
                del self.content.tasks[task.id]
            case _:
                name = {} if act.name is None else {"name": act.name}
                self.content.change_task(person, task, name | self._fields(act))
        return show_task(self.content, task)

    def _fields(self, act: Act) -> Json:
        fields: Json = {}
        if act.text is not None:
            fields["description"] = act.text
        if act.assignees is not None:
            fields["users"] = [self._person(email).id for email in act.assignees]
        if act.start is not None:
            fields["startDate"] = act.start
        if act.due is not None:
            fields["endDate"] = act.due
        return fields

    def _add_space(self, settings: SpaceSettings) -> None:
        emails = settings.people or tuple(each.email for each in self.content.people.values())
        members = [self._person(email) for email in emails]
        space = Space(settings.name, [each.id for each in members], members[0].id)
        self.content.spaces[space.id] = space
        for each in settings.projects:
            project = self.content.add_project(members[0], space.id, each.name, each.key)
            for board in each.boards:
                self._add_board(members[0], project.id, board)

    def _add_board(self, owner: Person, project: str, settings: BoardSettings) -> None:
        board = self.content.add_board(owner, project, settings.name, settings.columns)
        for task in settings.tasks:
            self._add_task(board, task, owner)

    def _add_task(self, board: Board, settings: TaskSettings, owner: Person) -> None:
        creator = owner if settings.by is None else self._person(settings.by)
        fields = {
            "name": settings.name,
            "columnId": self._column(board, settings.column).id,
            "description": settings.description,
            "priority": settings.priority,
            "users": [self._person(email).id for email in settings.assignees],
            "startDate": _moment(settings.start),
            "endDate": _moment(settings.due),
        }
        task = self.content.add_task(creator, fields)
        task.comments = [Comment(self._person(c.by), c.text) for c in settings.comments]

    def _person(self, email: str) -> Person:
        found = self.content.person_of(email)
        if found is None:
            raise ServiceError(404, f"nobody has the e-mail address {email}")
        return found

    def _board(self, wanted: str | None) -> Board:
        return _pick(self.content.boards.values(), wanted, "board")

    def _column(self, board: Board, wanted: str | None) -> Column:
        return _pick([self.content.columns[key] for key in board.columns], wanted, "column")

    def _task(self, board: Board, wanted: str | None) -> Task:
        tasks = [each for each in self.content.tasks.values() if each.board == board.id]
        return _pick(tasks, wanted, "task")


def _pick(things: Iterable[Thing], wanted: str | None, kind: str) -> Thing:
    """Find a thing by its id or name; the first one if none is wanted."""
    for each in things:
        if wanted is None or wanted in {each.id, each.name}:
            return each
    raise ServiceError(404, f"there is no such {kind}: {wanted}")


def _moment(text: str | None) -> str | None:
    """Read a date, or days from now as in `+2d`, so that the dates of a demo stay current."""
    if text is None or not text.endswith("d"):
        return text
    return time.strftime("%Y-%m-%dT12:00:00.000Z", time.gmtime(time.time() + int(text[:-1]) * _DAY))
