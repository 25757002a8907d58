"""Tasks and comments of TeamFlame."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from teamflame.errors import ChangedMeanwhile
from teamflame.service import parser
from teamflame.service.endpoints import Call
from teamflame.service.markup import to_markup

if TYPE_CHECKING:
    from datetime import datetime

    from teamflame.service.client import ServiceClient
    from teamflame.service.values import Board, Comment, Task


class _Unchanged:
    """Stands for a field that a change leaves alone, because None is a value of dates."""


UNCHANGED: Final = _Unchanged()


@dataclass(frozen=True, slots=True)
class TaskFields:
    """The fields of a task that are written."""

    title: str | _Unchanged = UNCHANGED
    description: str | _Unchanged = UNCHANGED
    assignees: tuple[str, ...] | _Unchanged = UNCHANGED
    start: datetime | _Unchanged | None = UNCHANGED
    due: datetime | _Unchanged | None = UNCHANGED
    priority: str | _Unchanged = UNCHANGED

    def as_json(self) -> dict[str, Any]:
        written = {
            "name": self.title,
            "description": _markup(self.description),
            "users": _list(self.assignees),
            "startDate": _moment(self.start),
            "endDate": _moment(self.due),
            "priority": self.priority,
        }
        return {name: value for name, value in written.items() if value is not UNCHANGED}


class Tasks:
    """Reads and changes tasks."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def get(self, token: str, task: str) -> Task:
        answer = await self._client.call(Call.TASK, task, token=token)
        return parser.read_one(answer, parser.task)

    async def mine(self, token: str) -> tuple[Task, ...]:
        answer = await self._client.call(Call.MY_TASKS, token=token)
        return await parser.read_long_list(answer, parser.task)

    async def of_column(self, token: str, column: str) -> tuple[Task, ...]:
        """List the tasks of a column with their comments."""
        answer = await self._client.call(Call.TASKS_OF_COLUMN, column, token=token)
        tasks = await parser.read_long_list(answer, parser.task)
        return tuple(each.at(column) for each in tasks)

    async def create(
        self, token: str, board: Board | None, column: str, fields: TaskFields
    ) -> Task:
        """Create a task; the service needs no more than its title and column."""
        written = {
            "description": "",
            "users": [],
            **fields.as_json(),
            "columnId": column,
            **({} if board is None else _place(board)),
            "status": [],
            "files": [],
            "dependenceOf": [],
            "subTasks": [],
        }
        answer = await self._client.call(Call.CREATE_TASK, token=token, fields=written)
        return parser.read_one(answer, parser.task)

    async def move(self, token: str, task: Task, column: str) -> Task:
        fields = {"columnId": column, "location": task.space_id}
        answer = await self._client.call(Call.MOVE_TASK, task.id, token=token, fields=fields)
        return parser.read_one(answer, parser.task)

    async def change(
        self, token: str, task: str, fields: TaskFields, read_at: datetime | None = None
    ) -> Task:
        """Read the task again and write all of it; refuse if it has changed since `read_at`."""
        answer = await self._client.call(Call.TASK, task, token=token)
        known = parser.read_one(answer, parser.task)
        if read_at is not None and known.updated is not None and known.updated > read_at:
            raise ChangedMeanwhile
        whole = {
            "name": known.title,
            "description": answer.get("description") or "",
            "priority": known.priority,
            "status": answer.get("status") or [],
            "columnId": known.column_id,
            "users": [person.id for person in known.assignees],
            "startDate": answer.get("startDate"),
            "endDate": answer.get("endDate"),
            "location": known.space_id,
        }
        written = whole | fields.as_json()
        changed = await self._client.call(Call.UPDATE_TASK, task, token=token, fields=written)
        return parser.read_one(changed, parser.task)


class Comments:
    """Reads and writes what people say about a task."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._tasks = Tasks(client)

    async def list(self, token: str, task: Task) -> tuple[Comment, ...]:
        """Find the comments, which the service gives only with the tasks of a column."""
        if task.comments is not None:
            return task.comments
        together = await self._tasks.of_column(token, task.column_id)
        found = next((each for each in together if each.id == task.id), None)
        return (found.comments or ()) if found else ()

    async def create(self, token: str, task: str, text: str, author: str = "") -> Comment:
        """Write a comment, and return it; what the answer leaves out, as that of some TeamFlames does, is filled in."""
        fields = {"task": task, "text": to_markup(text)}
        answer = await self._client.call(Call.CREATE_COMMENT, token=token, fields=fields)
        told = answer if isinstance(answer, dict) else {}
        known = {"_id": f"new{token_hex(6)}", "userName": author, "text": fields["text"]}
        return parser.comment(known | {name: value for name, value in told.items() if value})


def _place(board: Board) -> dict[str, str]:
    return {
        "boardId": board.id,
        "projectId": board.project_id,
        "spaceId": board.space_id,
        "location": board.space_id,
    }


def _markup(text: str | _Unchanged) -> str | _Unchanged:
    return text if isinstance(text, _Unchanged) else to_markup(text)


def _list(keys: tuple[str, ...] | _Unchanged) -> list[str] | _Unchanged:
    return keys if isinstance(keys, _Unchanged) else list(keys)


def _moment(value: datetime | _Unchanged | None) -> str | _Unchanged | None:
    return value if isinstance(value, _Unchanged) else parser.write_moment(value)
