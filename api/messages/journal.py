"""The journal of a number over HTTP: messages, replay, and gap receipts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import admit, admit_as, audited, context
from api.messages.models import (
    DismissAnswer,
    FailureTexts,
    JournalPage,
    MessageAnswer,
    MessagesAnswer,
    PathAnswer,
    ReplayAnswer,
    ReplayWait,
    describe_entry,
    describe_path,
)
from api.requests.body import read_query, validate
from api.requests.errors import not_found
from api.requests.models import Answer, respond
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from api.texts import reader_language
from supervisor.database.tables import RowState
from supervisor.journal.values import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.journal.browsing import Selection
    from supervisor.journal.values import Entry


class ReceiptsAnswer(Answer):
    """The gap receipts of a number, newest first."""

    receipts: tuple[Receipt, ...]


MOST_RECEIPTS = 100
LONGEST_ID = 18  # digits

POLL = 0.2  # seconds

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
    entries, following = await _find(digits, page.as_selection(digits))
    texts = await _texts_about(digits)
    messages = [describe_entry(digits, entry, texts) for entry in entries]
    return respond(MessagesAnswer(messages=messages, next_before=following))


@blueprint.get("/messages/<message_id>")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(PathAnswer)
async def get_message(number: str, message_id: str) -> Response:
    """Show the whole path of one message, with its ids on both sides."""
    digits = await admit(number)
    path = await context().gateway.messages.find_path(digits, _row_of(message_id))
    return respond(describe_path(digits, path, await _texts_about(digits)))


@blueprint.delete("/messages/<message_id>")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(DismissAnswer)
async def delete_message(number: str, message_id: str) -> Response:
    """Dismiss a dead letter: it is not counted any more, and is erased after RETENTION_DAYS."""
    digits, who = await admit_as(number)
    row = _row_of(message_id)
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
    row = _row_of(message_id)
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


@blueprint.get("/receipts")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReceiptsAnswer)
async def get_receipts(number: str) -> Response:
    """List the periods in which the number received nothing, and what was found afterwards."""
    digits = await admit(number)
    receipts = await context().gateway.messages.receipts(digits, MOST_RECEIPTS)
    return respond(ReceiptsAnswer(receipts=receipts))


def _row_of(message_id: str) -> int:
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) <= LONGEST_ID):
        raise not_found("the message does not exist")
    return int(message_id)


async def _find(number: str, selection: Selection) -> tuple[Sequence[Entry], int | None]:
    """Return a page of entries, and the id before which the next page begins."""
    messages = context().gateway.messages
    if selection.search:
        return await messages.search(number, selection)
    entries = await messages.list(number, selection)
    return entries, entries[-1].id if len(entries) == selection.limit else None


async def _texts_about(number: str) -> FailureTexts:
    sender = await context().gateway.notifications.sender_of(number)
    return FailureTexts(reader_language(), is_about_bot=sender.is_bot)


async def _outcome_of(number: str, row: int, wait: float) -> MessageAnswer:
    """Wait until a replayed message is delivered or dead again, but no longer than `wait` seconds."""
    messages, end = context().gateway.messages, time.monotonic() + wait
    while True:
        path = await messages.find_path(number, row)
        left = end - time.monotonic()
        if path.entry.state is not RowState.PENDING or left <= 0:
            return describe_entry(number, path.entry, await _texts_about(number))
        await asyncio.sleep(min(POLL, left))
