"""Answers the calls of the service, under the workspace's faults, and records them."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.planfix.fault import Mode, pick_fault
from sandbox.teamflame.errors import ServiceAnswer, ServiceError, answer, refusal
from sandbox.teamflame.operations import VERSION_HEADER, Found, ServiceCall, find_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.planfix.fault import Fault
    from sandbox.teamflame.records import Json, Person
    from sandbox.teamflame.workspace import Workspace

_SECRETS = frozenset({"password", "refreshToken"})


@dataclass(slots=True)
class Call:
    """A call of the service; the status is None until it is answered, or if it never is."""

    at: float
    method: str
    path: str
    fields: Json
    by: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request to the service; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def answer_auth(workspace: Workspace, request: Incoming) -> ServiceAnswer | None:
    """Answer a call to the host for signing in; None means that the connection is cut."""
    call, fields = _record(workspace, request)
    name = request.path.rpartition("/")[2]
    return await _answer(workspace, call, name, lambda: _sign(workspace, request, fields))


async def answer_api(workspace: Workspace, request: Incoming) -> ServiceAnswer | None:
    """Answer a call to the host for everything else; None means that the connection is cut."""
    call, fields = _record(workspace, request)
    try:
        name = _find(workspace, request).name
    except ServiceError:
        name = ""

    def carry_out() -> ServiceAnswer:
        person = _caller(workspace, request)
        call.by = person.email
        found = _find(workspace, request)
        done = found.operation(ServiceCall(workspace.content, person, found.key, fields))
        return answer(done, 201 if found.name.startswith("create_") else 200)

    return await _answer(workspace, call, name, carry_out)


def _record(workspace: Workspace, request: Incoming) -> tuple[Call, Json]:
    fields = _read(request.body)
    shown = {key: "…" if key in _SECRETS else value for key, value in fields.items()}
    call = Call(time.time(), request.method, request.path, shown)
    workspace.calls.append(call)
    return call, fields


async def _answer(
    workspace: Workspace, call: Call, name: str, carry_out: Callable[[], ServiceAnswer]
) -> ServiceAnswer | None:
    fault, workspace.faults = pick_fault(workspace.faults, name)
    if fault is not None and fault.mode is Mode.SLOW:
        await asyncio.sleep(fault.seconds)
    done = _refuse(fault) if fault is not None else None
    if done is None and (fault is None or fault.mode is not Mode.DOWN):
        try:
            done = carry_out()
        except ServiceError as exc:
            done = refusal(exc.status, exc.message)
    if fault is not None and fault.mode is Mode.LOST_ANSWER:
        return None
    call.status = done.status if done is not None else None
    return done


def _refuse(fault: Fault) -> ServiceAnswer | None:
    match fault.mode:
        case Mode.ERROR:
            return refusal(fault.status, "The service is not well", fault.retry_after)
        case Mode.REFUSE:
            return refusal(400, "Bad Request")
        case Mode.UNAUTHORIZED:
            return refusal(401, "Unauthorized")
        case _:
            return None


def _sign(workspace: Workspace, request: Incoming, fields: Json) -> ServiceAnswer:
    people = workspace.content.people
    match (request.method, request.path.removeprefix("auth/")):
        case ("POST", "sign-in"):
            person = workspace.content.person_of(str(fields.get("email", "")))
            if person is None or person.password != fields.get("password"):
                return refusal(401, "Wrong email or password")
        case ("POST", "refresh-token"):
            person = people[workspace.tokens.renew(str(fields.get("refreshToken")))]
        case ("GET", "user"):
            return answer(_caller(workspace, request).as_json())
        case _:
            return refusal(404, f"Cannot {request.method} /{request.path}")
    return answer({"user": person.as_json(), "tokens": workspace.tokens.issue(person)})


def _find(workspace: Workspace, request: Incoming) -> Found:
    version = request.headers.get(VERSION_HEADER.lower())
    return find_operation(workspace.settings.profile, request.method, request.path, version)


def _caller(workspace: Workspace, request: Incoming) -> Person:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        raise ServiceError(401, "Unauthorized")
    return workspace.content.people[workspace.tokens.owner(token)]


def _read(body: bytes) -> Json:
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
