"""The bodies of calls that notify, and their answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from api.requests.body import Answer, Body
from supervisor.errors import AddressMalformed
from supervisor.notifications.formatting.templates import TextFormat
from supervisor.notifications.notice import Attachment, Button, Keyboard, Manner, Rejected
from supervisor.notifications.notification_service import Wording
from supervisor.notifications.recipients import Address, parse_address

if TYPE_CHECKING:
    from datetime import datetime

MOST_RECIPIENTS = 1000
LONGEST_TEXT = 64 * 1024  # characters
_FORMATS = Literal["plain", "html", "markdown"]


def _listed(value: Any) -> Any:
    """Accept one recipient, several with commas, or a JSON list in a form."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _from_json(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _from_json(value: Any) -> Any:
    """Accept JSON in a field of a form."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError("must be JSON") from error


def _rows(value: Any) -> Any:
    """Accept a single row of buttons for a list of rows."""
    value = _from_json(value)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return [value]
    return value


class ButtonBody(Body):
    """A button under the message, which does exactly one thing."""

    text: Annotated[str, Field(min_length=1, max_length=64)]
    url: Annotated[str, Field(max_length=2048, pattern=r"^(?i:https?|tg)://\S+$")] | None = None
    data: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    web_app: Annotated[str, Field(max_length=2048, pattern=r"^(?i:https)://\S+$")] | None = None

    @model_validator(mode="after")
    def does_one_thing(self) -> Self:
        if sum(each is not None for each in (self.url, self.data, self.web_app)) != 1:
            raise ValueError("a button needs exactly one of url, data and web_app")
        if len((self.data or "").encode()) > 64:
            raise ValueError("the data of a button has at most 64 bytes")
        return self


class AttachmentBody(Body):
    """A file behind a public link."""

    url: Annotated[
        str, Field(min_length=1, max_length=4096, pattern=r"^(?i:https?)://[^\s/][^\x00-\x1f]*$")
    ]
    name: Annotated[str, Field(max_length=255)] = ""


Rows = Annotated[
    list[Annotated[list[ButtonBody], Field(min_length=1, max_length=8)]],
    BeforeValidator(_rows),
    Field(max_length=20),
]


def _refuse_bool(value: Any) -> Any:
    """Refuse true and false, which would pass for the ids 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a string or a number")  # noqa: TRY004 - pydantic wants it
    return value


class WordingBody(Body):
    """What a notification is to say: a text, or a template with its data."""

    text: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    template: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    data: Annotated[dict[str, Any], BeforeValidator(_from_json)] | None = None
    format: _FORMATS = "plain"
    title: Annotated[str, Field(max_length=255)] | None = None
    language: Literal["en", "ru", "uk"] | None = None

    def require_words(self) -> None:
        """Raise ValueError unless exactly one of text and template is given."""
        if self.text is not None and self.template is not None:
            raise ValueError("either text or template is required, not both")
        if self.text is None and self.template is None:
            raise ValueError("either text or template is required")

    @property
    def wording(self) -> Wording:
        return Wording(
            text=self.text,
            format=TextFormat(self.format),
            template=self.template,
            data=self.data or {},
            language=self.language,
            title=self.title,
        )


class PreviewBody(WordingBody):
    """A text, or a template with its data, to be previewed."""

    @model_validator(mode="after")
    def says_something(self) -> Self:
        self.require_words()
        return self


class NotifyBody(WordingBody):
    """A notification to one or many recipients."""

    to: Annotated[
        list[Annotated[str | int, BeforeValidator(_refuse_bool)]],
        BeforeValidator(_listed),
        Field(min_length=1, max_length=MOST_RECIPIENTS, examples=[[123, "@name", "alias:ops"]]),
    ]
    silent: bool = False
    buttons: Rows = Field(default_factory=list)
    attachments: Annotated[
        list[AttachmentBody], BeforeValidator(_from_json), Field(max_length=10)
    ] = Field(default_factory=list)
    dedup_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    not_before: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if not self.attachments or self.text is not None:
            self.require_words()
        return self

    @model_validator(mode="after")
    def is_sent_before_it_expires(self) -> Self:
        is_scheduled = self.not_before is not None and self.expires_at is not None
        if is_scheduled and self.manner.not_before >= (self.manner.expires or 0.0):
            raise ValueError("expires_at must be later than not_before")
        return self

    @property
    def manner(self) -> Manner:
        return Manner(
            keyboard=keyboard_of(self.buttons),
            is_silent=self.silent,
            dedup_key=self.dedup_key,
            not_before=_seconds(self.not_before) or 0.0,
            expires=_seconds(self.expires_at),
        )

    @property
    def files(self) -> list[Attachment]:
        return [Attachment(name=each.name, url=each.url) for each in self.attachments]


def keyboard_of(rows: Rows) -> Keyboard | None:
    if not rows:
        return None
    return Keyboard(rows=tuple(tuple(Button(**dict(each)) for each in row) for row in rows))


def addresses_of(to: list[str | int]) -> tuple[list[Address], tuple[Rejected, ...]]:
    """Read the addresses; each one that is malformed is rejected."""
    addresses: list[Address] = []
    rejected: list[Rejected] = []
    for written in to:
        try:
            addresses.append(parse_address(written))
        except AddressMalformed as error:
            detail = str(error)
            rejected.append(
                Rejected(to=str(written)[:100], code="invalid_recipient", detail=detail)
            )
    return addresses, tuple(rejected)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


class RejectedAnswer(Answer):
    """A recipient who is not notified, and why."""

    to: str
    code: str = Field(description="invalid_recipient, unknown_recipient, muted or stranger")
    detail: str


class NotifyAnswer(Answer):
    """The notification is stored; it will be sent to those who were accepted."""

    id: str | None = Field(description="null after a dry run")
    accepted: int
    rejected: list[RejectedAnswer]


class RecipientAnswer(Answer):
    """The outcome of the message to one recipient."""

    to: str
    state: Literal["queued", "sent", "failed", "expired"]
    message_id: int | None
    error: str | None


class NotificationAnswer(Answer):
    """The outcome of a notification."""

    id: str
    recipients: list[RecipientAnswer]


class TemplateBody(Body):
    """A Liquid template; without a language it is for all of them."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    format: _FORMATS = "plain"
    language: Literal["", "en", "ru", "uk"] = ""


class TemplateAnswer(Answer):
    """A template."""

    name: str
    text: str
    format: _FORMATS
    language: str


class DeletedTemplateAnswer(Answer):
    """The template is deleted."""

    name: str


class EntityAnswer(Answer):
    """A formatted part of the text, counted in UTF-16 units."""

    type: str
    offset: int
    length: int
    value: str


class PreviewAnswer(Answer):
    """How the text will look."""

    text: str
    entities: list[EntityAnswer]
    parts: int = Field(description="the number of messages that it will be")


class PlanfixEventBody(BaseModel):
    """What a script of Planfix sends; any field may be missing, and unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    token: str = Field(description="the key of the bot; it may be in a header instead")
    event: str = Field(default="", examples=["comment.added"])
    task: str = ""
    comment: str = ""
    title: str = ""
    author: str = ""
    status: str = ""
    due: str = ""
    text: str = ""
    link: str = ""
    telegramUserName: str = ""  # noqa: N815 - the name of the field
    telegramUserId: str = ""  # noqa: N815
    contactPhone: str = ""  # noqa: N815
