"""An employee's message, and the form that Planfix sends to the gateway for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.encoded_bytes import EncodedBytes
from sandbox.order import Order
from sandbox.planfix.attachment import MAX_BYTES
from sandbox.planfix.tasks_and_contacts import Chat, Contact

if TYPE_CHECKING:
    from sandbox.planfix.command import Link
    from sandbox.planfix.settings import Settings

EMPLOYEE = ("Olena", "Koval")


class File(BaseModel):
    """A file the employee attaches."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(min_length=1, max_length=255)]
    content: Annotated[EncodedBytes, Field(alias="base64", max_length=MAX_BYTES, repr=False)]


class Reply(Order):
    """An employee's message to a chat, or to a person without a chat.

    A `message_id` that was used before repeats that message, unchanged if no other field is given.
    A person's id may be written as the number that other calls give.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    chat_id: str | None = None
    contact_phone: str | None = None
    telegram_user_name: str | None = None
    telegram_user_id: str | None = None
    channel: str | None = None
    text: str = ""
    files: tuple[File, ...] = ()
    message_id: Annotated[str, Field(min_length=1)] | None = None

    @property
    def is_bare_repeat(self) -> bool:
        return self.model_fields_set == {"message_id"} and self.message_id is not None

    @model_validator(mode="after")
    def is_complete(self) -> Self:
        if self.is_bare_repeat:
            return self
        if not self.text and not self.files:
            raise ValueError("an employee must write a text or attach a file")
        named = (self.chat_id, self.contact_phone, self.telegram_user_name, self.telegram_user_id)
        if not any(named):
            raise ValueError(
                "name a chat_id, contact_phone, telegram_user_name or telegram_user_id"
            )
        return self


@dataclass(frozen=True, slots=True)
class ReplyDetails:
    """Everything that is sent to the gateway together with an employee's text."""

    message_id: str
    task_email: str
    avatar: str
    links: tuple[Link, ...]


def whom(reply: Reply, chat: Chat | None, contact: Contact | None) -> Contact:
    """Choose the recipient: the one the employee named, otherwise the contact of the task."""
    card = contact or Contact(contact_id="", number=0)
    return Contact(
        contact_id=card.contact_id or (chat.contact_id if chat else ""),
        number=card.number,
        name=card.name,
        phone=reply.contact_phone or card.phone,
        telegram_user_name=reply.telegram_user_name or card.telegram_user_name,
        telegram_user_id=reply.telegram_user_id or card.telegram_user_id,
    )


def compose(
    settings: Settings, reply: Reply, to: Contact, channel: str, details: ReplyDetails
) -> list[tuple[str, str]]:
    """Build the form of Planfix's newMessage; a first message has no `chatId`."""
    chat = [("chatId", reply.chat_id)] if reply.chat_id else []
    files = [
        pair
        for link in details.links
        for pair in (("attachments[name]", link.name), ("attachments[url]", link.url))
    ]
    return [
        ("cmd", "newMessage"),
        ("providerId", settings.provider_id),
        *chat,
        ("contactPhone", to.phone),
        *([("channel", channel)] if channel else []),
        ("token", settings.token),
        ("message", reply.text),
        ("messageId", details.message_id),
        ("userName", EMPLOYEE[0]),
        ("userLastName", EMPLOYEE[1]),
        ("userIco", details.avatar),
        ("taskEmail", details.task_email),
        ("telegramUserName", to.telegram_user_name),
        ("telegramUserId", to.telegram_user_id),
        *files,
    ]
