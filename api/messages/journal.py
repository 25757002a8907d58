"""The journal of a number over HTTP: its messages, and the receipts of gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import admit, context
from api.messages.models import (
    MessageAnswer,
    PathAnswer,
    describe_entry,
    describe_path,
    row_of,
    texts_about,
)
from api.requests.body import Answer, read_filters, respond, validate
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from supervisor.database.tables import Direction, RowState
from supervisor.journal.browsing import Selection
from supervisor.journal.values import Receipt, peer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.journal.values import Entry


LARGEST_ID = 2**53


class MessagesAnswer(Answer):
    """A page of the journal, newest first."""

    messages: list[MessageAnswer]
    next_before: int | None = Field(
        description="`before` for the next page; null if there is none. A search looks through "
        "some thousand messages at a time, so its page may be short although more follow"
    )


class JournalPage(BaseModel):
    """Selects messages of a number; conditions that are given together all have to hold."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    direction: Literal["in", "out"] | None = None
    state: Literal["pending", "delivered", "dead", "dismissed"] | None = None
    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(
        None, ge=1, le=LARGEST_ID, description="only messages with a smaller id"
    )
    message_id: Annotated[str | None, Field(max_length=255)] = Field(
        None, description="the id that Planfix gave the message"
    )
    telegram_id: int | None = Field(
        None, ge=1, le=LARGEST_ID, description="the id of one of its messages in Telegram"
    )
    chat: Annotated[str | None, Field(max_length=40)] = Field(
        None, description="the chat as Planfix knows it, or the contact's id in Telegram"
    )
    search: Annotated[
        str | None, Field(max_length=200), AfterValidator(lambda text: text and text.strip())
    ] = Field(None, description="words of the text, of a file's name or of the contact's name")

    def as_selection(self, number: str) -> Selection:
        is_dismissed = self.state == "dismissed"
        return Selection(
            direction=self.direction and Direction(self.direction),
            state=RowState(self.state) if self.state and not is_dismissed else None,
            is_dismissed=is_dismissed,
            before=self.before,
            limit=self.limit,
            planfix_id=self.message_id,
            telegram_id=self.telegram_id,
            peer_id=_peer_of(number, self.chat) if self.chat else None,
            search=self.search or None,
        )


def _peer_of(number: str, chat: str) -> int:
    """Return the contact of a chat, or an id that no contact has."""
    if chat.isascii() and chat.isdigit() and len(chat) < 18:
        return int(chat)
    return peer_of(number, chat) or 0


class ReceiptsAnswer(Answer):
    """The gap receipts of a number, newest first."""

    receipts: tuple[Receipt, ...]


MOST_RECEIPTS = 100
blueprint = Blueprint("journal", __name__, url_prefix="/numbers/<number>")


@blueprint.get("/messages")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(JournalPage)
@document_response(MessagesAnswer)
async def get_messages(number: str) -> Response:
    """List messages, newest first."""
    digits = await admit(number)
    page = validate(JournalPage, read_filters(request))
    entries, following = await _find(digits, page.as_selection(digits))
    texts = await texts_about(digits)
    messages = [describe_entry(digits, entry, texts) for entry in entries]
    return respond(MessagesAnswer(messages=messages, next_before=following))


@blueprint.get("/messages/<message_id>")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(PathAnswer)
async def get_message(number: str, message_id: str) -> Response:
    """Show the whole path of one message, with its ids on both sides."""
    digits = await admit(number)
    path = await context().gateway.messages.find_path(digits, row_of(message_id))
    return respond(describe_path(digits, path, await texts_about(digits)))


@blueprint.get("/receipts")
@tag(["journal"])
@needs(ADMIN_OR_TOKEN)
@document_response(ReceiptsAnswer)
async def get_receipts(number: str) -> Response:
    """List the periods in which the number received nothing, and what was found afterwards."""
    digits = await admit(number)
    receipts = await context().gateway.messages.receipts(digits, MOST_RECEIPTS)
    return respond(ReceiptsAnswer(receipts=receipts))


async def _find(number: str, selection: Selection) -> tuple[Sequence[Entry], int | None]:
    """Return a page of entries, and the id before which the next page begins."""
    messages = context().gateway.messages
    if selection.search:
        return await messages.search(number, selection)
    # One more than the page shows whether another page follows.
    entries = await messages.list(number, replace(selection, limit=selection.limit + 1))
    page = entries[: selection.limit]
    return page, page[-1].id if len(entries) > len(page) else None
