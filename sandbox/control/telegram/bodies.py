"""The bodies of the calls below `/telegram`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    model_validator,
)

from sandbox.encoded_bytes import EncodedBytes
from sandbox.order import Order
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile

DcId = Literal[2, 4]
PHONE = r"\+?[0-9 ()-]{5,32}"
BOT_NAME = r"@?[A-Za-z]\w{1,28}[Bb][Oo][Tt]"
OwnPhone = Annotated[str, Field(pattern=f"^{PHONE}$")]
Phone = Annotated[str, Field(pattern=f"^({PHONE}|{BOT_NAME})$")]
"""What names an account: a phone, or the user name of a bot, which has no phone."""


class NewBot(Order):
    """A bot that somebody makes; by default its name is its user name."""

    bot: Literal[True]
    username: Annotated[str, Field(pattern=f"^{BOT_NAME}$")]
    phone: Literal[None] = None
    first_name: Annotated[str, Field(max_length=64)] = ""
    last_name: Annotated[str, Field(max_length=64)] = ""
    about: Annotated[str, Field(max_length=140)] = ""


class NewAccount(Order):
    """A person who joins Telegram."""

    phone: OwnPhone
    first_name: Annotated[str, Field(min_length=1, max_length=64)]
    last_name: Annotated[str, Field(max_length=64)] = ""
    username: Annotated[str, Field(pattern=r"^[A-Za-z]\w{3,31}$")] | None = None
    password: Annotated[str | None, Field(min_length=1, repr=False)] = None
    phone_visible: bool = True
    bot: Literal[False] = False
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-zA-Z]{2,8})?$")] = "en"
    about: Annotated[str, Field(max_length=140)] = ""


Newcomer: TypeAdapter[NewBot | NewAccount] = TypeAdapter(
    Annotated[
        Annotated[NewBot, Tag("bot")] | Annotated[NewAccount, Tag("person")],
        Discriminator(lambda body: "bot" if body.get("bot") is True else "person"),
    ]
)


class PhoneOnly(Order):
    """An account, named by its phone number."""

    phone: Phone


class Scan(Order):
    """An account owner who scans a QR code with the phone."""

    phone: Phone
    url: Annotated[str, Field(pattern=r"^tg://login\?token=[\w=-]+$")]


class SentFile(Order):
    """A file on the sender's phone."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    mime: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+$")] = "application/octet-stream"
    content: Annotated[EncodedBytes, Field(alias="base64", min_length=1, repr=False)]
    dc: DcId | None = None

    def on_phone(self) -> OwnFile:
        return OwnFile(self.name, self.mime, self.content, self.dc)


class Sending(Order):
    """A message that somebody writes on their own phone."""

    sender: Annotated[Phone, Field(alias="from")]
    recipient: Annotated[Phone, Field(alias="to")]
    text: Annotated[str, Field(max_length=4096)] = ""
    files: tuple[SentFile, ...] = ()
    reply_to: int | None = None
    voice: bool = False
    # When it was written, for a history; messages of a chat are written in order.
    date: AwareDatetime | None = None

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if not self.text.strip() and not self.files:
            raise ValueError("a message needs a text or a file")
        return self


class Call(Order):
    """A phone call that is not answered."""

    caller: Annotated[Phone, Field(alias="from")]
    called: Annotated[Phone, Field(alias="to")]
    video: bool = False


class Edit(Order):
    """A new text for one of the account's own messages."""

    of: Phone
    id: int
    text: Annotated[str, Field(min_length=1, max_length=4096)]


class Deletion(Order):
    """A message that disappears on both sides."""

    of: Phone
    id: int
    text: str | None = None


class Press(Order):
    """Somebody presses a button: its row and column, counted from 0."""

    by: Phone
    chat_with: Phone
    message_id: int
    button: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class ContactSharing(Order):
    """Somebody shows a bot their own phone."""

    by: Phone
    chat_with: Phone


class Blocking(Order):
    """Somebody blocks an account, or no longer does."""

    by: Phone
    who: Phone
    blocked: bool = True


class MiniAppLaunch(Order):
    """Somebody opens the Mini App of a bot."""

    by: Phone
    chat_with: Phone
    start_param: Annotated[str, Field(max_length=512, pattern=r"^[A-Za-z0-9_-]+$")] | None = None


class Reading(Order):
    """Somebody opens a chat."""

    by: Phone
    chat_with: Phone


class ReactionGiven(Order):
    """Somebody reacts to a message of a chat, or takes the reaction back."""

    by: Phone
    id: int
    emoji: Annotated[str, Field(min_length=1, max_length=16)] | None = None


class NewFolder(Order):
    """A folder that an account's owner makes, or replaces by its title."""

    of: Phone
    title: Annotated[str, Field(min_length=1, max_length=12)]
    people: tuple[Phone, ...] = ()
    contacts: bool = False
    non_contacts: bool = False


class ContactEntry(Order):
    """A person whom an account's owner adds to the address book, or takes out of it."""

    of: Phone
    contact: Phone
    is_saved: Annotated[bool, Field(alias="saved")] = True


class MethodTrouble(Order):
    """An RPC error that a method answers with."""

    error: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    phone: Phone | None = None
    method: Annotated[str, Field(min_length=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None


class LineTrouble(Order):
    """A fault of the connection, the key or the account."""

    kind: Kind
    phone: Phone | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    dc: DcId | None = None
    method: Annotated[str, Field(min_length=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def fits_the_kind(self) -> Self:
        if self.kind is not Kind.NEWER_ANSWER and (self.method or self.times):
            raise ValueError("only newer_answer concerns a method, or so many answers")
        return self


Trouble: TypeAdapter[MethodTrouble | LineTrouble] = TypeAdapter(MethodTrouble | LineTrouble)
