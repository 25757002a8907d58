"""What the journal's calls answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from api.numbers.models import Answer

if TYPE_CHECKING:
    from supervisor.journal.values import Entry


class TryAnswer(Answer):
    """Why the last try came to nothing."""

    code: str
    detail: str | None


class MessageAnswer(Answer):
    """One message with what became of it."""

    id: int
    direction: Literal["in", "out"]
    state: Literal["pending", "delivered", "dead"]
    chat_id: str
    message_id: str | None = Field(description="of Planfix, for what came from there")
    text: str | None = Field(description="nothing once it is erased")
    files: list[str]
    is_echo: bool
    attempts: int
    next_try: datetime | None
    is_uncertain: bool = Field(description="an answer was lost, so it may be there twice")
    error: TryAnswer | None
    status: str | None = Field(description="what Planfix has been told: sent, read, error")
    created: datetime
    done: datetime | None


class MessagesAnswer(Answer):
    """A page of the journal, newest first."""

    messages: list[MessageAnswer]


class ReplayAnswer(Answer):
    """How many dead letters are on their way again."""

    replayed: int


class ReceiptAnswer(Answer):
    """What was written in a time in which nobody listened."""

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


def describe_entry(number: str, entry: Entry) -> MessageAnswer:
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
        error=entry.error_code and TryAnswer(code=entry.error_code, detail=entry.error_detail),
        status=entry.status,
        created=entry.created,
        done=entry.done,
    )
