"""The part of Planfix's REST API for tasks, comments and people, and the control of tasks and scripts."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict
from quart import Blueprint, Response, current_app, jsonify, request

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.tcp_connection import cut_connection
from sandbox.planfix.fault import Mode, pick_fault
from sandbox.planfix.tasks.board import (
    NewComment,
    NewTask,
    Person,
    Script,
    describe_comment,
    describe_person,
    describe_task,
)

if TYPE_CHECKING:
    from sandbox.planfix.account import Account
    from sandbox.planfix.planfix import Planfix
    from sandbox.planfix.tasks.board import Board

Json = dict[str, Any]
REST_TOKEN = "rest-"  # noqa: S105 - the beginning of every account's key
blueprint = Blueprint("planfix_rest", __name__, url_prefix="/planfix")


class Scripts(BaseModel):
    """All scripts of an account."""

    model_config = ConfigDict(extra="forbid")

    scripts: list[Script]


class People(BaseModel):
    """All employees and contacts of an account."""

    model_config = ConfigDict(extra="forbid")

    people: list[Person]


def board(name: str) -> Board:
    return _account(name).board


def _account(name: str) -> Account:
    return cast("Planfix", current_app.extensions["planfix"]).account(name)


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


@blueprint.put("/<name>/people")
async def put_people(name: str) -> Json:
    people = (await read_body(People)).people
    board(name).people = {person.id: person for person in people}
    return {"people": [person.model_dump() for person in people]}


@blueprint.get("/<name>/rest/comment/<int:identifier>")
async def rest_comment(name: str, identifier: int) -> Response:
    if (fault := await handle_fault(name, "rest")) is not None:
        return fault
    found = board(name).find_comment(identifier) if _is_admitted(name) else None
    if found is None:
        return _refuse(name, 400, 5000, f"Comment not found by id {identifier}")
    return _shown("comment", describe_comment(board(name), *found))


@blueprint.get("/<name>/rest/task/<int:number>")
async def rest_task(name: str, number: int) -> Response:
    if (fault := await handle_fault(name, "rest")) is not None:
        return fault
    task = board(name).tasks.get(number) if _is_admitted(name) else None
    if task is None:
        return _refuse(name, 400, 1000, f"Task not found by id {number}")
    return _shown("task", describe_task(board(name), task))


@blueprint.get("/<name>/rest/<any(user,contact):kind>/<int:number>")
async def rest_person(name: str, kind: str, number: int) -> Response:
    if (fault := await handle_fault(name, "rest")) is not None:
        return fault
    person = board(name).people.get(f"{kind}:{number}") if _is_admitted(name) else None
    if person is None:
        return _refuse(name, 400, 3000, f"{kind.capitalize()} not found by id {number}")
    return _shown(kind, describe_person(person))


@blueprint.post("/<name>/rest/task/<int:number>/comments/")
async def rest_add_comment(name: str, number: int) -> Response:
    if (fault := await handle_fault(name, "rest")) is not None:
        return fault
    if not _is_admitted(name):
        return _refuse(name, 400, 0, "")
    body = await request.get_json(force=True)
    author = str(body.get("owner", {}).get("id", "user:1"))
    new = NewComment(text=str(body.get("description", "")), author=author)
    comment = await board(name).add_comment(number, new, "Api")
    if comment is None:
        return _refuse(name, 400, 1000, f"Task not found by id {number}")
    answer = jsonify({"result": "success", "id": comment.id})
    answer.status_code = 201
    return answer


@blueprint.post("/<name>/rest/task/<int:number>/comments/list")
async def rest_list_comments(name: str, number: int) -> Response:
    if (fault := await handle_fault(name, "rest")) is not None:
        return fault
    task = board(name).tasks.get(number) if _is_admitted(name) else None
    if task is None:
        return _refuse(name, 400, 1000, f"Task not found by id {number}")
    wanted = set(str((await request.get_json(force=True)).get("fields", "")).split(","))
    newest_first = [describe_comment(board(name), task, each) for each in reversed(task.comments)]
    return jsonify(
        {"result": "success", "comments": [_only(each, wanted) for each in newest_first[:100]]}
    )


async def handle_fault(name: str, cmd: str) -> Response | None:
    """Fail as a fault of the account asks for; calls to the chat API have other names."""
    account = _account(name)
    fault, account.faults = pick_fault(account.faults, cmd)
    if fault is None:
        return None
    match fault.mode:
        case Mode.SLOW:
            await asyncio.sleep(fault.seconds)
            return None
        case Mode.ERROR:
            return _failed(fault.status, 22, "Rest API error", fault.retry_after)
        case Mode.UNAUTHORIZED:
            return _failed(401, 1, "Invalid token")
        case Mode.REFUSE:
            return _failed(400, 1, "Invalid parameters")
        case _:  # DOWN, or LOST_ANSWER, under which only the chat API carries the call out
            cut_connection()
            return Response(status=503)


def _shown(what: str, shown: Json) -> Response:
    """Answer with the requested fields; if none are requested, Planfix shows only the id."""
    wanted = set(request.args.get("fields", "").split(","))
    return jsonify({"result": "success", what: _only(shown, wanted)})


def _only(shown: Json, wanted: set[str]) -> Json:
    return {name: value for name, value in shown.items() if name == "id" or name in wanted}


def _is_admitted(name: str) -> bool:
    return request.headers.get("Authorization", "") == f"Bearer {REST_TOKEN}{name}"


def _refuse(name: str, status: int, code: int, error: str) -> Response:
    if not _is_admitted(name):
        return _failed(401, 1, "Invalid token")
    return _failed(status, code, error)


def _failed(status: int, code: int, error: str, retry_after: int | None = None) -> Response:
    answer = jsonify({"result": "fail", "code": code, "error": error})
    answer.status_code = status
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer
