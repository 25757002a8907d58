"""The calls that send the dead letters of a number again, or dismiss them."""

from __future__ import annotations

import asyncio
import time

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import admit_as, audited, context
from api.messages.models import MessageAnswer, describe_entry, row_of, texts_about
from api.requests.body import Answer, Wait, read_query, respond, validate
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from supervisor.database.tables import RowState

POLL = 0.2  # seconds


class ReplayAnswer(Answer):
    """How many dead letters are sent again."""

    replayed: int
    message: MessageAnswer | None = Field(
        exclude_if=lambda message: message is None,
        description="the one message after the wait; if it died again, "
        "its `state` is `dead` and `error` says why",
    )


class DismissAnswer(Answer):
    """How many dead letters were dismissed."""

    dismissed: int


class ReplayWait(BaseModel):
    """How long the call waits for the outcome."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    wait: Wait = 0.0


blueprint = Blueprint("dead_letters", __name__, url_prefix="/numbers/<number>")


@blueprint.delete("/messages/<message_id>")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(DismissAnswer)
async def delete_message(number: str, message_id: str) -> Response:
    """Dismiss a dead letter: it is not counted any more, and is erased after RETENTION_DAYS."""
    digits, who = await admit_as(number)
    row = row_of(message_id)
    work = context().gateway.messages.dismiss(digits, row)
    await audited(work, who, "dismissed", digits, f"message {row}")
    return respond(DismissAnswer(dismissed=1))


@blueprint.post("/messages/<message_id>/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(ReplayWait)
@document_response(ReplayAnswer)
async def post_replay(number: str, message_id: str) -> Response:
    """Send one dead letter again."""
    digits, who = await admit_as(number)
    row = row_of(message_id)
    wait = validate(ReplayWait, read_query(request)).wait
    work = context().gateway.messages.replay(digits, row)
    await audited(work, who, "replayed", digits, f"message {row}")
    message = await _outcome_of(digits, row, wait) if wait else None
    return respond(ReplayAnswer(replayed=1, message=message))


@blueprint.post("/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReplayAnswer)
async def post_replay_all(number: str) -> Response:
    """Send all dead letters again."""
    digits, who = await admit_as(number)
    work = context().gateway.messages.replay_all(digits)
    count = await audited(work, who, "replayed", digits, "messages: {}".format)
    return respond(ReplayAnswer(replayed=count, message=None))


async def _outcome_of(number: str, row: int, wait: float) -> MessageAnswer:
    """Wait until a replayed message is delivered or dead again, but no longer than `wait` seconds."""
    messages, end = context().gateway.messages, time.monotonic() + wait
    while True:
        path = await messages.find_path(number, row)
        left = end - time.monotonic()
        if path.entry.state is not RowState.PENDING or left <= 0:
            return describe_entry(number, path.entry, await texts_about(number))
        await asyncio.sleep(min(POLL, left))
