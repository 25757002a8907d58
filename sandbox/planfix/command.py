"""The five commands of the chat API, parsed from their form fields and validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from sandbox.planfix.form import Form

Filled = Annotated[str, StringConstraints(min_length=1)]
ProviderId = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^~]*$")]
Flag = Annotated[bool, BeforeValidator(lambda value: value or False)]


class InvalidParameters(Exception):
    """A call that Planfix answers with `Invalid parameters`."""


class Link(BaseModel):
    """A file as the chat API describes it: its name and the address to fetch it from."""

    model_config = ConfigDict(frozen=True)

    name: Filled
    url: Filled


class Request(BaseModel):
    """The fields that all commands have in common; Planfix ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    provider_id: ProviderId


class ContactCard(Request):
    """The data about the contact in a call."""

    contact_id: Filled
    contact_name: Filled
    contact_last_name: str = ""
    contact_ico: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    contact_data: str = ""


class NewMessage(ContactCard):
    """A message for Planfix."""

    cmd: Literal["newMessage"]
    chat_id: Filled
    channel: str = ""
    message: str
    title: str = ""
    is_echo: Flag = False
    user_email: str = ""
    telegram_user_name: str = ""
    telegram_user_id: str = ""
    attachments: tuple[Link, ...] = ()

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if not self.message and not self.attachments:
            raise ValueError("neither text nor attachments")
        return self


class GetTask(Request):
    """A request for the task of a chat."""

    cmd: Literal["getTask"]
    chat_id: Filled


class GetContact(Request):
    """A request for the contact's number in Planfix."""

    cmd: Literal["getContact"]
    contact_id: Filled


class UpdateContact(ContactCard):
    """New data for a contact."""

    cmd: Literal["updateContact"]


class MessageStatus(Request):
    """The delivery status of an employee's message."""

    cmd: Literal["messageStatus"]
    message_id: Filled
    message_status: Filled
    message_status_text: str = ""


Command = NewMessage | GetTask | GetContact | UpdateContact | MessageStatus
_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="cmd")])


def parse_command(form: Form) -> Command:
    """Parse a form into a command; raise InvalidParameters for what Planfix would refuse."""
    names, urls = form.all("attachments[name]"), form.all("attachments[url]")
    if len(names) != len(urls):
        raise InvalidParameters("attachment names do not match their links")
    files = [{"name": name, "url": url} for name, url in zip(names, urls, strict=True)]
    try:
        return _COMMAND.validate_python({**form.single(), "attachments": files})
    except ValidationError as exc:
        raise InvalidParameters(str(exc)) from exc
