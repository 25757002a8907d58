"""The calls below `/teamflame`: the service of each workspace, and the calls that control it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from quart import Blueprint, Response, current_app, request

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.tcp_connection import cut_connection
from sandbox.planfix.fault import Fault
from sandbox.teamflame.calls import Incoming, answer_api, answer_auth
from sandbox.teamflame.settings import WorkspaceSettings
from sandbox.teamflame.workspace import Act

if TYPE_CHECKING:
    from sandbox.teamflame.calls import Call
    from sandbox.teamflame.errors import ServiceAnswer
    from sandbox.teamflame.teamflame import TeamFlame
    from sandbox.teamflame.workspace import Workspace

Json = dict[str, Any]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

blueprint = Blueprint("teamflame", __name__, url_prefix="/teamflame")


def workspace(name: str) -> Workspace:
    return cast("TeamFlame", current_app.extensions["teamflame"]).workspace(name)


@blueprint.get("")
async def get_workspaces() -> list[Json]:
    found = cast("TeamFlame", current_app.extensions["teamflame"])
    return [each.describe() for each in found.workspaces.values()]


@blueprint.put("/<name>")
async def put_workspace(name: str) -> Json:
    if not NAME.fullmatch(name):
        words = "a workspace is named with Latin letters, digits, dots, dashes, underscores"
        raise ControlError(400, "invalid_request", words)
    settings = await read_body(WorkspaceSettings)
    return cast("TeamFlame", current_app.extensions["teamflame"]).put(name, settings).describe()


@blueprint.get("/<name>")
async def get_workspace(name: str) -> Json:
    return workspace(name).describe()


@blueprint.route("/<name>/auth/<path:path>", methods=METHODS)
async def call_auth(name: str, path: str) -> Response:
    return _respond(await answer_auth(workspace(name), await _incoming(path)))


@blueprint.route("/<name>/api/<path:path>", methods=METHODS)
async def call_api(name: str, path: str) -> Response:
    return _respond(await answer_api(workspace(name), await _incoming(path)))


@blueprint.get("/<name>/calls")
async def get_calls(name: str) -> list[Call]:
    return workspace(name).calls


@blueprint.post("/<name>/act")
async def post_act(name: str) -> Json:
    return workspace(name).act(await read_body(Act))


@blueprint.post("/<name>/faults")
async def post_fault(name: str) -> Json:
    found = workspace(name)
    found.add_fault(await read_body(Fault))
    return found.describe()


@blueprint.delete("/<name>/faults")
async def delete_faults(name: str) -> Json:
    found = workspace(name)
    found.clear_faults()
    return found.describe()


async def _incoming(path: str) -> Incoming:
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    headers = {key.lower(): value for key, value in request.headers.items()}
    return Incoming(request.method, path, headers, body)


def _respond(answer: ServiceAnswer | None) -> Response:
    if answer is None:
        cut_connection()
        return Response(status=503)
    return Response(answer.body, answer.status, answer.headers, content_type="application/json")
