"""The journal of a number: what became of its messages, dead letters sent again."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.admission import carry_out
from api.context import context
from api.messages.journal import (
    MessagesAnswer,
    ReceiptAnswer,
    ReceiptsAnswer,
    ReplayAnswer,
    describe_entry,
)
from api.numbers.models import say
from api.numbers.operator_calls import admit, admit_as
from api.requests.body import read_query, validate
from api.requests.errors import not_found
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from api.schemas import JournalPage

MOST_RECEIPTS = 100
LONGEST_ID = 18  # digits

blueprint = Blueprint("journal", __name__, url_prefix="/numbers/<number>")


@blueprint.get("/messages")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(JournalPage)
@document_response(MessagesAnswer)
async def get_messages(number: str) -> Response:
    """List messages, newest first."""
    digits = await admit(number)
    page = validate(JournalPage, read_query(request))
    entries = await context().gateway.messages(digits, page.as_selection())
    return say(MessagesAnswer(messages=[describe_entry(digits, entry) for entry in entries]))


@blueprint.post("/messages/<message_id>/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReplayAnswer)
async def post_replay(number: str, message_id: str) -> Response:
    """Send a dead letter again."""
    digits, who = await admit_as(number)
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) <= LONGEST_ID):
        raise not_found("there is no such message")
    work = context().gateway.replay(digits, int(message_id))
    await carry_out(work, who, "replayed", digits, f"message {int(message_id)}")
    return say(ReplayAnswer(replayed=1))


@blueprint.post("/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReplayAnswer)
async def post_replay_all(number: str) -> Response:
    """Send all dead letters again."""
    digits, who = await admit_as(number)
    work = context().gateway.replay_all(digits)
    count = await carry_out(work, who, "replayed", digits, "messages: {}".format)
    return say(ReplayAnswer(replayed=count))


@blueprint.get("/receipts")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReceiptsAnswer)
async def get_receipts(number: str) -> Response:
    """Tell what was found of the times in which nobody listened."""
    digits = await admit(number)
    receipts = await context().gateway.receipts(digits, MOST_RECEIPTS)
    return say(ReceiptsAnswer(receipts=[ReceiptAnswer.model_validate(r) for r in receipts]))
