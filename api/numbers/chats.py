"""Which chats of a number go to Planfix: the fields that choose them, and the call that shows them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import CLIENT, admit_as, context
from api.requests.body import AbsentIfEmpty, Answer, Body, Text, read_query, respond, validate
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from supervisor.store import values

if TYPE_CHECKING:
    from supervisor.messages.message_service import Chats

LONGEST_HISTORY = 90  # days
MOST_NAMES = 500
MOST_FOLDERS = 50


def _as_name(value: Any) -> Any:
    """Accept a Telegram id that is written as a number as well."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ChatName = Annotated[Text, BeforeValidator(_as_name), Field(min_length=1, max_length=200)]

blueprint = Blueprint("chats", __name__, url_prefix="/numbers")


class ChatSelection(Body):
    """Which chats go to Planfix; what is left out never leaves the worker."""

    mode: Literal["all", "only", "except"] = Field(
        description="all chats, only the named ones, or all except the named ones"
    )
    people: list[ChatName] = Field(
        [], max_length=MOST_NAMES, description="Telegram ids, user names, full names or phones"
    )
    folders: list[ChatName] = Field(
        [], max_length=MOST_FOLDERS, description="titles of Telegram's folders"
    )
    contacts: bool = Field(default=False, description="everybody in the contact list")

    @model_validator(mode="after")
    def names_fit_the_mode(self) -> Self:
        if self.mode == "all" and (self.people or self.folders or self.contacts):
            raise ValueError('names nobody with mode "all"; use "only" or "except"')
        return self

    def as_value(self) -> values.ChatSelection:
        return values.ChatSelection.model_validate(self.model_dump())


def _parsed(value: Any) -> Any:
    """Read a selection that came as text, in a form or a query."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as exc:
        raise ValueError("must be a JSON object") from exc


def _recent(day: date) -> date:
    today = datetime.now(UTC).date()
    if day > today:
        raise ValueError("must not be in the future")
    if day < today - timedelta(days=LONGEST_HISTORY):
        raise ValueError(f"must be at most {LONGEST_HISTORY} days back")
    return day


Selected = Annotated[ChatSelection, BeforeValidator(_parsed)]
HistorySince = Annotated[date, Field(examples=["2026-01-31"]), AfterValidator(_recent)]


class ChosenChats(Body):
    """The fields of a number about its chats."""

    chats: Annotated[Selected | None, AbsentIfEmpty] = Field(None, repr=False)
    history_since: Annotated[HistorySince | None, AbsentIfEmpty] = Field(
        None, description="a day, at most 90 days back; null delivers no history"
    )

    @field_validator("history_since", mode="before")
    @classmethod
    def is_a_day(cls, value: Any) -> Any:
        """Accept a moment as well, which stands for its day in UTC."""
        if value is not None and not isinstance(value, str):
            raise ValueError("must be a date, such as 2026-01-31")
        try:
            moment = datetime.fromisoformat(value or "")
            return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
        except (
            ValueError,
            OverflowError,
        ):  # at the edge of the calendar there is no such moment in UTC
            return value

    def chat_changes(self) -> values.ChatChanges:
        return values.ChatChanges(
            selection=None if self.chats is None else self.chats.as_value(),
            history_since=self.history_since,
            without_history="history_since" in self.model_fields_set and self.history_since is None,
        )


class ChatSelectionAnswer(Answer):
    """Which chats go to Planfix."""

    mode: Literal["all", "only", "except"] = Field(
        description="all chats, only the named ones, or all except the named ones"
    )
    people: list[str] = Field(description="Telegram ids, user names, full names or phones")
    folders: list[str] = Field(description="titles of Telegram's folders")
    contacts: bool = Field(description="whether everybody in the contact list is named")


class Preview(BaseModel):
    """A selection to try out, as JSON text; without it the current one is shown."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    chats: Annotated[Selected | None, AbsentIfEmpty] = None


class ChatAnswer(Answer):
    """A private chat. The operator is not told the names of people who are left out."""

    chat_id: str
    user_id: int
    goes: bool
    name: str | None
    username: str | None
    phone: str | None


class ChatsAnswer(Answer):
    """The private chats, the latest first."""

    chats: list[ChatAnswer]
    unknown_folders: list[str] = Field(description="named folders that the account does not have")
    complete: bool = Field(description="whether these are all chats; at most 1000 are shown")


@blueprint.get("/<number>/chats")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(Preview)
@document_response(ChatsAnswer)
async def get_chats(number: str) -> Response:
    """Show which private chats go to Planfix, under the current selection or another one."""
    digits, who = await admit_as(number)
    wanted = validate(Preview, read_query(request)).chats
    selection = None if wanted is None else wanted.as_value()
    chats = await context().gateway.messages.chats(digits, selection, with_names=who == CLIENT)
    return respond(_described(digits, chats))


def _described(number: str, found: Chats) -> ChatsAnswer:
    return ChatsAnswer(
        chats=[
            ChatAnswer(
                chat_id=f"{number}_{each.peer_id}",
                user_id=each.peer_id,
                goes=each.is_chosen,
                name=each.name,
                username=each.username,
                phone=each.phone,
            )
            for each in found.chats
        ],
        unknown_folders=list(found.unknown_folders),
        complete=found.is_complete,
    )
