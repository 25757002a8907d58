"""The part of Planfix's REST API that concerns comments, and the control of tasks and scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict
from quart import Blueprint, Response, current_app, jsonify, request

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.planfix.tasks.board import NewComment, NewTask, Script, describe_comment

if TYPE_CHECKING:
    from sandbox.planfix.planfix import Planfix
    from sandbox.planfix.tasks.board import Board

Json = dict[str, Any]
REST_TOKEN = "rest-"  # noqa: S105 - the beginning of every account's key
blueprint = Blueprint("planfix_rest", __name__, url_prefix="/planfix")


class Scripts(BaseModel):
    """All scripts of an account."""

    model_config = ConfigDict(extra="forbid")

    scripts: list[Script]


def board(name: str) -> Board:
    return cast("Planfix", current_app.extensions["planfix"]).account(name).board


@blueprint.put("/<name>/scripts")
async def put_scripts(name: str) -> Json:
    scripts = (await read_body(Scripts)).scripts
    board(name).scripts = tuple(scripts)
    return {"scripts": [script.model_dump() for script in scripts]}


@blueprint.get("/<name>/scripts/calls")
async def get_script_calls(name: str) -> list[Json]:
    return [asdict(call) for call in board(name).script_calls]


@blueprint.post("/<name>/tasks")
async def post_task(name: str) -> tuple[Json, int]:
    return asdict(await board(name).add_task(await read_body(NewTask))), 201


@blueprint.get("/<name>/tasks/<int:number>")
async def get_task(name: str, number: int) -> Json:
    task = board(name).tasks.get(number)
    if task is None:
        raise ControlError(404, "not_found", "there is no such task")
    return asdict(task)


@blueprint.post("/<name>/tasks/<int:number>/comments")
async def post_comment(name: str, number: int) -> tuple[Json, int]:
    comment = await board(name).add_comment(number, await read_body(NewComment), "Planfix")
    if comment is None:
        raise ControlError(404, "not_found", "there is no such task")
    return asdict(comment), 201


@blueprint.get("/<name>/rest/comment/<int:identifier>")
async def rest_comment(name: str, identifier: int) -> Response:
    found = board(name).find_comment(identifier) if _is_admitted(name) else None
    if found is None:
        return _refuse(name, 400, 5000, "Comment not found")
    return jsonify({"result": "success", "comment": describe_comment(*found)})


@blueprint.post("/<name>/rest/task/<int:number>/comments/")
async def rest_add_comment(name: str, number: int) -> Response:
    if not _is_admitted(name):
        return _refuse(name, 400, 0, "")
    body = await request.get_json(force=True)
    author = str(body.get("owner", {}).get("id", "user:1"))
    new = NewComment(text=str(body.get("description", "")), author=author)
    comment = await board(name).add_comment(number, new, "Api")
    if comment is None:
        return _refuse(name, 400, 1000, "Task not found")
    answer = jsonify({"result": "success", "id": comment.id})
    answer.status_code = 201
    return answer


@blueprint.post("/<name>/rest/task/<int:number>/comments/list")
async def rest_list_comments(name: str, number: int) -> Response:
    task = board(name).tasks.get(number) if _is_admitted(name) else None
    if task is None:
        return _refuse(name, 400, 1000, "Task not found")
    newest_first = [describe_comment(task, each) for each in reversed(task.comments)]
    return jsonify({"result": "success", "comments": newest_first[:100]})


def _is_admitted(name: str) -> bool:
    return request.headers.get("Authorization", "") == f"Bearer {REST_TOKEN}{name}"


def _refuse(name: str, status: int, code: int, error: str) -> Response:
    if not _is_admitted(name):
        status, code, error = 401, 1, "Invalid token"
    answer = jsonify({"result": "fail", "code": code, "error": error})
    answer.status_code = status
    return answer
