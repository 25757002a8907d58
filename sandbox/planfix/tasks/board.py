"""The tasks of an account with their comments, and the scripts that report what happens to them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import httpx

    from sandbox.planfix.tasks.incoming_webhook import IncomingWebhook

FIRST_TASK = 86190
FIRST_COMMENT = 7001
_VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")


class Script(BaseModel):
    """An automatic script: on an event it calls an address with variables filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Literal["task", "comment"]
    url: str
    fields: dict[str, str] = Field(default_factory=dict)


class NewTask(BaseModel):
    """A task that an employee creates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    description: str = ""
    status: str = "New"
    assigner: str = "user:1"
    assignees: tuple[str, ...] = ()
    due: str = Field(default="", description="`31-12-2026 10:00`")


class Person(BaseModel):
    """An employee, `user:5`, or a contact, `contact:7`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^(user|contact):\d+$")
    name: str
    telegramId: str = ""  # noqa: N815 - as in Planfix
    telegram: str = ""
    phones: tuple[str, ...] = ()


class NewComment(BaseModel):
    """A comment that somebody writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    author: str = "Olena"
    hidden: bool = False
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, in HTML."""

    id: int
    text: str
    author: str
    hidden: bool
    source: str = "Planfix"
    notified: tuple[str, ...] = ()


@dataclass(slots=True)
class BoardTask:
    """A task and everything that was written in it."""

    number: int
    title: str
    description: str
    status: str
    assigner: str = "user:1"
    assignees: tuple[str, ...] = ()
    due: str = ""
    comments: list[Comment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A call that a script has made, and how it was answered."""

    url: str
    fields: dict[str, str]
    status: int
    body: str


class Board:
    """The tasks of one account; as in Planfix, its scripts also run for comments made over REST."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._numbers = itertools.count(FIRST_TASK)
        self._comment_ids = itertools.count(FIRST_COMMENT)
        self.tasks: dict[int, BoardTask] = {}
        self.people: dict[str, Person] = {}
        self.scripts: tuple[Script, ...] = ()
        self.webhooks: tuple[IncomingWebhook, ...] = ()
        self.script_calls: list[ScriptCall] = []

    async def add_task(self, new: NewTask) -> BoardTask:
        task = BoardTask(
            *(next(self._numbers), new.title, new.description, new.status),
            *(new.assigner, new.assignees, new.due),
        )
        self.tasks[task.number] = task
        await self._run("task", task, None)
        return task

    async def add_comment(self, number: int, new: NewComment, source: str) -> Comment | None:
        """Add a comment and run the scripts; return None if there is no such task."""
        task = self.tasks.get(number)
        if task is None:
            return None
        identifier = next(self._comment_ids)
        comment = Comment(identifier, new.text, new.author, new.hidden, source, new.notify)
        task.comments.append(comment)
        await self._run("comment", task, comment)
        return comment

    def find_comment(self, identifier: int) -> tuple[BoardTask, Comment] | None:
        found = (
            (task, each)
            for task in self.tasks.values()
            for each in task.comments
            if each.id == identifier
        )
        return next(found, None)

    def name_of(self, identifier: str) -> str:
        person = self.people.get(identifier)
        return person.name if person else identifier

    def id_of(self, name: str) -> str:
        return next((each.id for each in self.people.values() if each.name == name), "user:1")

    async def _run(self, what: str, task: BoardTask, comment: Comment | None) -> None:
        known = variables_of(task, comment)
        for script in self.scripts:
            if script.on != what:
                continue
            filled = {name: fill_in(value, known) for name, value in script.fields.items()}
            answer = await self._http.post(script.url, data=filled)
            self.script_calls.append(
                ScriptCall(script.url, filled, answer.status_code, answer.text)
            )


def variables_of(task: BoardTask, comment: Comment | None) -> dict[str, str]:
    known = {
        "Задача.Номер": str(task.number),
        "Задача.Название": task.title,
        "Задача.Описание": task.description,
        "Задача.Статус": task.status,
    }
    if comment is not None:
        known |= {
            "Комментарий.Текст": comment.text,
            "Комментарий.Идентификатор": str(comment.id),
            "Комментарий.Автор": comment.author,
        }
    return known


def fill_in(text: str, known: dict[str, str]) -> str:
    """Fill variables in; one that is unknown stays as it is written."""
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def describe_comment(board: Board, task: BoardTask, comment: Comment) -> dict[str, Any]:
    """Show a comment as the REST API does."""
    return {
        "id": comment.id,
        "description": comment.text,
        "isHidden": comment.hidden,
        "owner": {"id": board.id_of(comment.author), "name": comment.author},
        "recipients": _people(board, comment.notified),
        "task": {"id": task.number},
        "fromType": comment.source,
    }


def describe_task(board: Board, task: BoardTask) -> dict[str, Any]:
    """Show a task as the REST API does."""
    shown = {
        "id": task.number,
        "name": task.title,
        "description": task.description,
        "status": {"id": 1, "name": task.status},
        "assigner": {"id": task.assigner, "name": board.name_of(task.assigner)},
        "assignees": _people(board, task.assignees),
    }
    if task.due:
        date, _, clock = task.due.partition(" ")
        shown["endDateTime"] = {"date": date, "time": clock}
    return shown


def describe_person(person: Person) -> dict[str, Any]:
    """Show an employee or a contact as the REST API does."""
    phones = [{"number": phone, "maskedNumber": phone, "type": 1} for phone in person.phones]
    shown = person.model_dump(exclude={"id", "phones"})
    return {"id": int(person.id.partition(":")[2]), **shown, "phones": phones}


def _people(board: Board, identifiers: tuple[str, ...]) -> dict[str, Any]:
    users = [{"id": each, "name": board.name_of(each)} for each in identifiers]
    return {"users": users, "groups": []}
