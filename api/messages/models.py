"""What the calls about the journal take and answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.requests.models import Answer, Wait
from supervisor.database.tables import Direction, RowState
from supervisor.journal.browsing import Selection
from supervisor.journal.values import peer_of
from supervisor.texts import operator_text
from supervisor.texts.bot_texts import for_bot
from supervisor.texts.state import SENT_AGAIN

if TYPE_CHECKING:
    from supervisor.journal.values import Entry, FailedTries, MessagePath

LARGEST_ID = 2**53


class TryAnswer(Answer):
    """Why the last attempt failed."""

    code: str = Field(description="stands for the reason; the same in all languages")
    text: str = Field(
        description="what happened and who has to do what, in the language of the reader; "
        "it says so if the message had been sent again before"
    )
    detail: str | None = Field(description="what the other side answered")


class MessageAnswer(Answer):
    """One message and what happened to it."""

    id: int = Field(description="the gateway's id of the message")
    direction: Literal["in", "out"] = Field(description="`in`: to Planfix, `out`: to Telegram")
    state: Literal["pending", "delivered", "dead", "dismissed"]
    chat_id: str = Field(description="the chat as Planfix knows it")
    contact: str | None = Field(description="the name of the contact, if it is known")
    message_id: str | None = Field(
        description="the id that Planfix gave the message, if it came from Planfix"
    )
    text: str | None = Field(description="null after the text was erased")
    files: list[str] = Field(description="the names of the files")
    is_echo: bool = Field(description="the number's owner wrote it on another device")
    attempts: int = Field(description="how often its delivery was tried")
    next_try: datetime | None
    is_uncertain: bool = Field(
        description="an answer was lost, so the message may have been delivered twice"
    )
    error: TryAnswer | None = Field(description="why the last try failed")
    status: str | None = Field(
        description="the status that was reported to Planfix: sent, read or error"
    )
    replays: int = Field(description="how often it was sent again by hand as a dead letter")
    created: datetime = Field(description="when it was stored")
    done: datetime | None = Field(description="when it was delivered, or became a dead letter")
    delay: float | None = Field(description="seconds from `created` to `done`, if it is delivered")


class FailedTriesAnswer(Answer):
    """Tries that failed for one reason, since the message was last sent again."""

    code: str
    text: str = Field(description="what happened, in the language of the reader")
    detail: str
    times: int
    first: datetime
    last: datetime
    replays: int = Field(description="how often the message had been sent again before")


class PathAnswer(MessageAnswer):
    """The whole path of one message, from one side to the other."""

    contact_id: str = Field(description="the contact's id in Telegram, which Planfix knows as well")
    telegram_ids: list[int] = Field(description="the ids of its messages in Telegram")
    received: datetime = Field(
        description="when the contact wrote it (Telegram's clock), or Planfix handed it over"
    )
    stored: datetime = Field(description="when it was stored durably")
    sent: datetime | None = Field(description="when the latest try began")
    delivered: datetime | None = Field(description="when Planfix, or Telegram, accepted it")
    read: datetime | None = Field(description="when Telegram reported that the contact has read it")
    replayed: datetime | None = Field(description="when it was last sent again by hand")
    dismissed: datetime | None = Field(description="when somebody dismissed it")
    tries: list[FailedTriesAnswer] = Field(description="the tries that failed, oldest first")


class MessagesAnswer(Answer):
    """A page of the journal, newest first."""

    messages: list[MessageAnswer]
    next_before: int | None = Field(
        description="`before` for the next page; null if there is none. A search looks through "
        "some thousand messages at a time, so its page may be short although more follow"
    )


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


class JournalPage(BaseModel):
    """Selects messages of a number; conditions that are given together all have to hold."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    direction: Literal["in", "out"] | None = None
    state: Literal["pending", "delivered", "dead", "dismissed"] | None = None
    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(
        None, ge=1, le=LARGEST_ID, description="only messages with a smaller id"
    )
    message_id: Annotated[str | None, Field(max_length=200)] = Field(
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


class FailureTexts(NamedTuple):
    """The texts about failed messages, in the language of the reader and for a number or a bot."""

    language: str
    is_about_bot: bool

    def of(self, code: str) -> str:
        text = operator_text(code, self.language)
        return for_bot(text) if self.is_about_bot else text


def describe_entry(number: str, entry: Entry, texts: FailureTexts) -> MessageAnswer:
    return MessageAnswer.model_validate(_fields_of(number, entry, texts))


def describe_path(number: str, path: MessagePath, texts: FailureTexts) -> PathAnswer:
    entry = path.entry
    is_delivered = entry.state is RowState.DELIVERED
    return PathAnswer.model_validate(
        {
            **_fields_of(number, entry, texts),
            "contact_id": str(entry.peer_id),
            "telegram_ids": path.telegram_ids,
            "received": entry.written or entry.created,
            "stored": entry.created,
            "sent": entry.tried or (entry.done if is_delivered else None),
            "delivered": entry.done if is_delivered else None,
            "read": entry.read,
            "replayed": entry.replayed,
            "dismissed": entry.dismissed,
            "tries": [_describe_failed(each, texts) for each in path.failed],
        }
    )


def _describe_failed(failed: FailedTries, texts: FailureTexts) -> FailedTriesAnswer:
    return FailedTriesAnswer.model_validate({**failed._asdict(), "text": texts.of(failed.code)})


def _fields_of(number: str, entry: Entry, texts: FailureTexts) -> dict[str, object]:
    came_from_planfix = entry.direction == "out"
    is_delivered = entry.state is RowState.DELIVERED and entry.done is not None
    return {
        "id": entry.id,
        "direction": "out" if came_from_planfix else "in",
        "state": "dismissed" if entry.dismissed else entry.state.value,
        "chat_id": f"{number}_{entry.peer_id}",
        "contact": entry.contact,
        "message_id": entry.key if came_from_planfix and entry.connector is None else None,
        "text": entry.text,
        "files": list(entry.files),
        "is_echo": entry.is_echo,
        "attempts": entry.attempts,
        "next_try": entry.next_try and datetime.fromtimestamp(entry.next_try, UTC),
        "is_uncertain": entry.is_uncertain,
        "error": _describe_error(entry, texts),
        "status": entry.status,
        "replays": entry.replays,
        "created": entry.created,
        "done": entry.done,
        "delay": _seconds(entry) if is_delivered else None,
    }


def _seconds(entry: Entry) -> float | None:
    return max(0.0, (entry.done - entry.created).total_seconds()) if entry.done else None


def _describe_error(entry: Entry, texts: FailureTexts) -> TryAnswer | None:
    code = entry.error_code
    if not code:
        return None
    text = texts.of(code)
    if entry.replays and entry.state is RowState.DEAD:
        text = f"{SENT_AGAIN[texts.language]} {text}"
    return TryAnswer(code=code, text=text, detail=entry.error_detail)
