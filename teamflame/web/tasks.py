"""The calls for tasks and comments."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from quart import Blueprint, Response
from quart_schema import document_request, document_response

from teamflame.errors import ChangedMeanwhile
from teamflame.service.tasks import TaskFields
from teamflame.store.choices import Kind
from teamflame.store.own_actions import Change, comment_change
from teamflame.web.admission import admit, key, read, respond, teamflame
from teamflame.web.errors import register_errors
from teamflame.web.models import (
    CommentAnswer,
    CommentBody,
    MoveBody,
    TaskAnswer,
    TaskBody,
    TaskChangesBody,
    TasksAnswer,
    WholeTaskAnswer,
)
from teamflame.web.openapi import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamflame.accounts.proof import Caller
    from teamflame.service.values import Task

blueprint = Blueprint("teamflame_tasks", __name__, url_prefix="/teamflame/api")
register_errors(blueprint)

_NAMES = {"assignee_ids": "assignees"}
_MAY_BE_REMOVED = frozenset({"start", "due"})


@blueprint.get("/tasks/mine")
@call("tasks")
@document_response(TasksAnswer)
async def get_own_tasks() -> Response:
    """List the tasks that the caller is assigned to."""
    shared = teamflame()
    tasks = await shared.call(admit(), shared.service.tasks.mine)
    return respond(TasksAnswer(tasks=[TaskAnswer.model_validate(each) for each in tasks]))


@blueprint.post("/tasks")
@call("tasks")
@document_request(TaskBody)
@document_response(TaskAnswer, 201)
async def post_task() -> Response:
    """Create a task at the end of a column."""
    shared, caller = teamflame(), admit()
    body = await read(TaskBody)
    board = None
    if body.board_id is not None:
        board = await shared.call(caller, shared.service.boards.get, body.board_id)
    fields = TaskFields(
        title=body.title,
        description=body.description,
        assignees=body.assignee_ids,
        start=body.start,
        due=body.due,
    )
    made = await shared.call(caller, shared.service.tasks.create, board, body.column_id, fields)
    new = Change(made.id, Kind.CREATED)
    await shared.remember_own(caller, new, *_assignments(made.id, body.assignee_ids))
    return respond(TaskAnswer.model_validate(made), HTTPStatus.CREATED)


@blueprint.get("/tasks/<task>")
@call("tasks")
@document_response(WholeTaskAnswer)
async def get_task(task: str) -> Response:
    """Show a task with its description and comments."""
    shared, caller = teamflame(), admit()
    found = await shared.call(caller, shared.service.tasks.get, key(task))
    return respond(await _whole(caller, found))


@blueprint.patch("/tasks/<task>")
@call("tasks")
@document_request(TaskChangesBody)
@document_response(WholeTaskAnswer)
async def patch_task(task: str) -> Response:
    """Change a task; 409 if somebody has changed it after `updated`."""
    shared, caller = teamflame(), admit()
    body = await read(TaskChangesBody)
    async with shared.own(caller, *_assignments(key(task), body.assignee_ids or ())):
        changed = await shared.call(
            caller, shared.service.tasks.change, key(task), _fields(body), body.updated
        )
    return respond(await _whole(caller, changed))


@blueprint.post("/tasks/<task>/move")
@call("tasks")
@document_request(MoveBody)
@document_response(TaskAnswer)
async def post_move(task: str) -> Response:
    """Move a task to a column; 409 if it is not in `from_column_id` any more."""
    shared, caller = teamflame(), admit()
    body = await read(MoveBody)
    found = await shared.call(caller, shared.service.tasks.get, key(task))
    if body.from_column_id not in {None, found.column_id, body.column_id}:
        raise ChangedMeanwhile
    async with shared.own(caller, Change(found.id, Kind.MOVED, body.column_id)):
        moved = await shared.call(caller, shared.service.tasks.move, found, body.column_id)
    return respond(TaskAnswer.model_validate(moved))


@blueprint.post("/comments")
@call("comments")
@document_request(CommentBody)
@document_response(CommentAnswer, 201)
async def post_comment() -> Response:
    """Comment on a task."""
    shared, caller = teamflame(), admit()
    body = await read(CommentBody)
    author = (await shared.accounts.require(caller)).name
    create = shared.service.comments.create
    async with shared.own(caller, comment_change(body.task_id, body.text)):
        made = await shared.call(caller, create, body.task_id, body.text, author)
    return respond(CommentAnswer.model_validate(made), HTTPStatus.CREATED)


async def _whole(caller: Caller, task: Task) -> WholeTaskAnswer:
    shared = teamflame()
    comments = await shared.call(caller, shared.service.comments.list, task)
    return WholeTaskAnswer(
        **TaskAnswer.model_validate(task).model_dump(),
        description=task.description,
        comments=[CommentAnswer.model_validate(each) for each in comments],
    )


def _assignments(task: str, people: Sequence[str]) -> list[Change]:
    return [Change(task, Kind.ASSIGNED, person) for person in people]


def _fields(body: TaskChangesBody) -> TaskFields:
    given: dict[str, Any] = {}
    for name in body.model_fields_set - {"updated"}:
        value = getattr(body, name)
        if value is not None or name in _MAY_BE_REMOVED:
            given[_NAMES.get(name, name)] = value
    return TaskFields(**given)
