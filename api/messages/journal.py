"""The journal of a number over HTTP: messages, replay, and gap receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.admission import admit, admit_as, audited
from api.context import context
from api.requests.body import read_query, validate
from api.requests.errors import not_found
from api.requests.models import Answer, respond
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from api.texts import reader_language
from supervisor.database.tables import Direction, RowState
from supervisor.journal.browsing import Selection
from supervisor.texts import operator_text

if TYPE_CHECKING:
    from supervisor.journal.values import Entry


class TryAnswer(Answer):
    """Why the last attempt failed."""

    code: str
    text: str = Field(description="what happened and who has to do what, in LANGUAGE")
    detail: str | None


class MessageAnswer(Answer):
    """One message and what happened to it."""

    id: int
    direction: Literal["in", "out"]
    state: Literal["pending", "delivered", "dead"]
    chat_id: str
    message_id: str | None = Field(
        description="the id that Planfix gave the message, if it came from Planfix"
    )
    text: str | None = Field(description="null after the text was erased")
    files: list[str]
    is_echo: bool
    attempts: int
    next_try: datetime | None
    is_uncertain: bool = Field(
        description="an answer was lost, so the message may have been delivered twice"
    )
    error: TryAnswer | None
    status: str | None = Field(
        description="the status that was reported to Planfix: sent, read or error"
    )
    created: datetime
    done: datetime | None


class MessagesAnswer(Answer):
    """A page of the journal, newest first."""

    messages: list[MessageAnswer]


class ReplayAnswer(Answer):
    """How many dead letters are sent again."""

    replayed: int


class ReceiptAnswer(Answer):
    """What was found about a period in which the number received nothing."""

    id: int
    pts_from: int
    pts_to: int
    began: datetime
    created: datetime
    found: int
    delivered: int
    missing: int
    detail: str


class ReceiptsAnswer(Answer):
    """The gap receipts of a number, newest first."""

    receipts: list[ReceiptAnswer]


def describe_entry(number: str, entry: Entry, language: str) -> MessageAnswer:
    came_from_planfix = entry.direction == "out"
    return MessageAnswer(
        id=entry.id,
        direction="out" if came_from_planfix else "in",
        state=entry.state.value,
        chat_id=f"{number}_{entry.peer_id}",
        message_id=entry.key if came_from_planfix else None,
        text=entry.text,
        files=list(entry.files),
        is_echo=entry.is_echo,
        attempts=entry.attempts,
        next_try=entry.next_try and datetime.fromtimestamp(entry.next_try, UTC),
        is_uncertain=entry.is_uncertain,
        error=_describe_error(entry, language),
        status=entry.status,
        created=entry.created,
        done=entry.done,
    )


def _describe_error(entry: Entry, language: str) -> TryAnswer | None:
    code = entry.error_code
    if not code:
        return None
    return TryAnswer(code=code, text=operator_text(code, language), detail=entry.error_detail)


class JournalPage(BaseModel):
    """Selects messages of a number."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    direction: Literal["in", "out"] | None = None
    state: Literal["pending", "delivered", "dead"] | None = None
    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=2**53, description="only messages with a smaller id")

    def as_selection(self) -> Selection:
        return Selection(
            direction=self.direction and Direction(self.direction),
            state=self.state and RowState(self.state),
            before=self.before,
            limit=self.limit,
        )


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
    entries = await context().gateway.messages.list(digits, page.as_selection())
    language = reader_language()
    messages = [describe_entry(digits, entry, language) for entry in entries]
    return respond(MessagesAnswer(messages=messages))


@blueprint.post("/messages/<message_id>/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReplayAnswer)
async def post_replay(number: str, message_id: str) -> Response:
    """Send one dead letter again."""
    digits, who = await admit_as(number)
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) <= LONGEST_ID):
        raise not_found("the message does not exist")
    work = context().gateway.messages.replay(digits, int(message_id))
    await audited(work, who, "replayed", digits, f"message {int(message_id)}")
    return respond(ReplayAnswer(replayed=1))


@blueprint.post("/replay")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReplayAnswer)
async def post_replay_all(number: str) -> Response:
    """Send all dead letters again."""
    digits, who = await admit_as(number)
    work = context().gateway.messages.replay_all(digits)
    count = await audited(work, who, "replayed", digits, "messages: {}".format)
    return respond(ReplayAnswer(replayed=count))


@blueprint.get("/receipts")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReceiptsAnswer)
async def get_receipts(number: str) -> Response:
    """List the periods in which the number received nothing, and what was found afterwards."""
    digits = await admit(number)
    receipts = await context().gateway.messages.receipts(digits, MOST_RECEIPTS)
    return respond(ReceiptsAnswer(receipts=[ReceiptAnswer.model_validate(r) for r in receipts]))
