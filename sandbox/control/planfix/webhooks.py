"""The incoming webhooks of accounts, and their control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from quart import Blueprint, Response, jsonify, request

from sandbox.control.planfix.rest import board, handle_fault
from sandbox.control.request_body import read_body
from sandbox.planfix.tasks.board import NewComment
from sandbox.planfix.tasks.incoming_webhook import IncomingWebhook, read_call

if TYPE_CHECKING:
    from sandbox.planfix.tasks.board import Board

blueprint = Blueprint("planfix_webhooks", __name__, url_prefix="/planfix")


class Webhooks(BaseModel):
    """All incoming webhooks of an account."""

    model_config = ConfigDict(extra="forbid")

    webhooks: list[IncomingWebhook]


@blueprint.put("/<name>/webhooks")
async def put_webhooks(name: str) -> dict[str, Any]:
    webhooks = (await read_body(Webhooks)).webhooks
    board(name).webhooks = tuple(webhooks)
    return {"webhooks": [webhook.model_dump() for webhook in webhooks]}


@blueprint.post("/<name>/webhook/json/<code>")
async def post_webhook(name: str, code: str) -> Response:
    """Carry out a call; of Planfix's answer only the id of the task is documented."""
    fault = await handle_fault(name, "webhook")
    if fault is not None:
        return fault
    webhook = _find(board(name), code)
    if webhook is None:
        return Response(status=404)
    reported = read_call(webhook, await request.get_json(force=True, silent=True))
    if reported is None:
        return jsonify({})
    new = NewComment(text=reported.comment, author=webhook.author)
    comment = await board(name).add_comment(reported.task, new, "Api")
    return jsonify({"id": reported.task} if comment else {})


def _find(of: Board, code: str) -> IncomingWebhook | None:
    return next((each for each in of.webhooks if each.code == code), None)
