"""A message of the journal, as the calls about it answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from api.context import context
from api.requests.body import Answer
from api.requests.errors import not_found
from api.texts import reader_language
from supervisor.database.tables import RowState
from supervisor.texts import operator_text
from supervisor.texts.bot_texts import for_bot
from supervisor.texts.state import SENT_AGAIN

if TYPE_CHECKING:
    from supervisor.journal.values import Entry, FailedTries, MessagePath

LONGEST_ID = 18  # digits


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


def row_of(message_id: str) -> int:
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) <= LONGEST_ID):
        raise not_found("the message does not exist")
    return int(message_id)


async def texts_about(number: str) -> FailureTexts:
    sender = await context().gateway.notifications.sender_of(number)
    return FailureTexts(reader_language(), is_about_bot=sender.is_bot)
