"""The calls for spaces, projects, boards and columns."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response

from teamflame.store.choices import Kind, Selection, Subscription
from teamflame.web.admission import admit, admit_person, key, query, read, respond, teamflame
from teamflame.web.errors import register_errors
from teamflame.web.models import (
    BoardAnswer,
    BoardBody,
    BoardsAnswer,
    ColumnAnswer,
    ColumnBody,
    FullBoardAnswer,
    FullColumnAnswer,
    NotificationsAnswer,
    NotificationsBody,
    OfProject,
    OfSpace,
    PersonAnswer,
    ProjectAnswer,
    ProjectsAnswer,
    SelectedAnswer,
    SelectionAnswer,
    SpaceAnswer,
    SpacesAnswer,
)
from teamflame.web.openapi import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamflame.accounts.proof import Caller
    from teamflame.service.values import Board, Column, Person

blueprint = Blueprint("teamflame_boards", __name__, url_prefix="/teamflame/api")
register_errors(blueprint)


@blueprint.get("/spaces")
@call("spaces")
@document_response(SpacesAnswer)
async def get_spaces() -> Response:
    """List the spaces that the caller is in."""
    shared = teamflame()
    spaces = await shared.call(admit(), shared.service.spaces.list)
    return respond(SpacesAnswer(spaces=[SpaceAnswer.model_validate(each) for each in spaces]))


@blueprint.get("/projects")
@call("projects")
@document_querystring(OfSpace)
@document_response(ProjectsAnswer)
async def get_projects() -> Response:
    """List the projects of a space."""
    shared, caller, space = teamflame(), admit(), query("space_id")
    projects = await shared.call(caller, shared.service.projects.list, space)
    found = [ProjectAnswer.model_validate(each) for each in projects]
    return respond(ProjectsAnswer(projects=found))


@blueprint.get("/boards")
@call("boards")
@document_querystring(OfProject)
@document_response(BoardsAnswer)
async def get_boards() -> Response:
    """List the boards of a project."""
    shared, caller, project = teamflame(), admit(), query("project_id")
    boards = await shared.call(caller, shared.service.boards.list, project)
    return respond(BoardsAnswer(boards=[BoardAnswer.model_validate(each) for each in boards]))


@blueprint.post("/boards")
@call("boards")
@document_request(BoardBody)
@document_response(BoardAnswer, 201)
async def post_board() -> Response:
    """Create a board."""
    shared, caller = teamflame(), admit()
    body = await read(BoardBody)
    made = await shared.call(
        caller, shared.service.boards.create, body.name, body.project_id, body.space_id
    )
    return respond(BoardAnswer.model_validate(made), HTTPStatus.CREATED)


@blueprint.get("/boards/<board>")
@call("boards")
@document_response(FullBoardAnswer)
async def get_board(board: str) -> Response:
    """Show a board with its columns and tasks; with If-None-Match, 304 while nothing has changed."""
    answer = await _full_board(admit(), key(board))
    teamflame().record_look(board)
    etag = hashlib.sha256(answer.encode()).hexdigest()[:32]
    response = Response(answer, content_type="application/json")
    response.set_etag(etag)
    if request.if_none_match.contains(etag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
        response.set_etag(etag)
    return response


@blueprint.put("/boards/<board>/selected")
@call("boards")
@document_response(SelectedAnswer)
async def put_selected(board: str) -> Response:
    """Choose a board; the bot then shows it too, and notifies the caller of what happens on it."""
    shared, (caller, user_id) = teamflame(), admit_person()
    found = await shared.call(caller, shared.service.boards.get, key(board))
    chosen = Selection(found.space_id, found.project_id, found.id)
    await shared.choices.select(user_id, chosen)
    return respond(SelectedAnswer(selection=SelectionAnswer.model_validate(chosen)))


@blueprint.get("/boards/<board>/notifications")
@call("boards")
@document_response(NotificationsAnswer)
async def get_notifications(board: str) -> Response:
    """Show which events of a board the caller is notified of."""
    shared, (caller, user_id) = teamflame(), admit_person()
    await shared.accounts.require(caller)
    kinds = await shared.choices.kinds_of(user_id, key(board))
    return respond(NotificationsAnswer(kinds={kind: kind in kinds for kind in Kind}))


@blueprint.put("/boards/<board>/notifications")
@call("boards")
@document_request(NotificationsBody)
@document_response(NotificationsAnswer)
async def put_notifications(board: str) -> Response:
    """Choose which events of a board the caller is notified of."""
    shared, (caller, user_id) = teamflame(), admit_person()
    body = await read(NotificationsBody)
    found = await shared.call(caller, shared.service.boards.get, key(board))
    before = await shared.choices.kinds_of(user_id, found.id)
    kinds = frozenset(kind for kind in Kind if body.kinds.get(kind, kind in before))
    await shared.choices.subscribe(Subscription(user_id, found.id, kinds))
    return respond(NotificationsAnswer(kinds={kind: kind in kinds for kind in Kind}))


@blueprint.post("/columns")
@call("columns")
@document_request(ColumnBody)
@document_response(ColumnAnswer, 201)
async def post_column() -> Response:
    """Create a column at the end of a board."""
    shared, caller = teamflame(), admit()
    body = await read(ColumnBody)
    board = await shared.call(caller, shared.service.boards.get, body.board_id)
    made = await shared.call(caller, shared.service.columns.create, body.name, board)
    return respond(ColumnAnswer.model_validate(made), HTTPStatus.CREATED)


async def _full_board(caller: Caller, board: str) -> str:
    """Return the answer about a board, written beside the event loop, because it may be very long."""
    shared = teamflame()
    found, columns = await asyncio.gather(
        shared.call(caller, shared.service.boards.get, board),
        shared.call(caller, shared.service.columns.list, board),
    )
    people = await shared.people_of(caller, found.space_id)
    return await asyncio.to_thread(_written, found, columns, people)


def _written(found: Board, columns: Sequence[Column], people: Sequence[Person]) -> str:
    return FullBoardAnswer(
        **BoardAnswer.model_validate(found).model_dump(),
        columns=[FullColumnAnswer.model_validate(each) for each in columns],
        people=[PersonAnswer.model_validate(each) for each in people],
    ).model_dump_json()
