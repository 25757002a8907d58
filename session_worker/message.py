"""Messages as they cross the pipe: what people wrote, what employees answer, what became of both."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from session_worker.frozen import Frozen


class Contact(Frozen):
    """The Telegram person on the other side, as far as this number may know it."""

    peer_id: int
    first_name: str = ""
    last_name: str = ""
    username: str | None = None
    phone: str | None = None
    photo_id: int | None = None


class IncomingFile(Frozen):
    """A file of a Telegram message, to be fetched when the message is delivered."""

    message_id: int
    name: str
    mime: str
    size: int


class IncomingKind(StrEnum):
    """What happened in a private chat."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"


class Incoming(Frozen):
    """Something that happened in a private chat, to be told to Planfix as one message.

    An album has several message ids. ``text`` is readable as it stands; the line of the message
    that is replied to is looked up when it is delivered.
    """

    what: IncomingKind = IncomingKind.MESSAGE
    peer_id: int
    message_ids: tuple[int, ...] = Field(min_length=1)
    date: int
    edit_date: int | None = None
    is_echo: bool = False
    text: str
    reply_to: int | None = None
    contact: Contact
    files: tuple[IncomingFile, ...] = ()


class ChatMemory(Frozen):
    """What has been told to Planfix about a chat, so that it is told once."""

    peer_id: int
    task: int | None = None
    contact: Contact | None = None


class Attachment(Frozen):
    """A file that an employee attached, behind a link of Planfix."""

    name: str
    url: str


APART = -1
"""Stands for a text that is to be sent, not with a file but by itself, which settles the matter."""


class Part(Frozen):
    """One Telegram message, or one album, of an outgoing message.

    Each message of it is sent under its own random id, fixed before the first try; ``sent`` tells
    in the same order what they have become, once one of them has become anything.
    """

    text: str = ""
    files: tuple[int, ...] = ()
    random_ids: tuple[int, ...] = Field(min_length=1)
    sent: tuple[int | None, ...] = ()

    @property
    def is_sent(self) -> bool:
        """Whether nothing of it is left to be sent."""
        return bool(self.sent) and not {None, APART} & set(self.sent)


class Outgoing(Frozen):
    """What an employee answers, planned into parts."""

    peer_id: int
    planfix_id: str
    attachments: tuple[Attachment, ...] = ()
    parts: tuple[Part, ...]


class PlanfixStatus(StrEnum):
    """What Planfix is told of a message that came from it."""

    SENT = "sent"
    READ = "read"
    ERROR = "error"


class Failure(Frozen):
    """Why a try came to nothing; without a next try it is the last word."""

    code: str
    detail: str = ""
    next_try: float | None = None


class Deliver(Frozen):
    """Command: bring this to Planfix, after all that was handed over before for the same chat."""

    kind: Literal["deliver"] = "deliver"
    row: int
    incoming: Incoming
    links: tuple[str, ...] = ()
    photo_link: str | None = None
    chat: ChatMemory
    attempts: int = 0
    next_try: float = 0.0
    is_uncertain: bool = False


class Send(Frozen):
    """Command: send this in Telegram, after all that was handed over before for the same chat."""

    kind: Literal["send"] = "send"
    row: int
    outgoing: Outgoing
    attempts: int = 0
    next_try: float = 0.0


class TellStatus(Frozen):
    """Command: tell Planfix what became of a message that came from it."""

    kind: Literal["tell_status"] = "tell_status"
    row: int
    planfix_id: str
    status: PlanfixStatus
    text: str = ""


class Stored(Frozen):
    """Command: what came in at these positions is kept; the place in the updates may move on."""

    kind: Literal["stored"] = "stored"
    positions: tuple[int, ...]


class Resolve(Frozen):
    """Command: find a person to write to for the first time."""

    kind: Literal["resolve"] = "resolve"
    request_id: int
    user_id: int | None = None
    username: str | None = None
    phone: str | None = None


class Received(Frozen):
    """Event: something was written to the number, or by its owner; keep it, then say so."""

    kind: Literal["received"] = "received"
    positions: tuple[int, ...]
    incoming: Incoming


class ReadByContact(Frozen):
    """Event: the contact has read what the number wrote, up to a message."""

    kind: Literal["read_by_contact"] = "read_by_contact"
    positions: tuple[int, ...]
    peer_id: int
    up_to: int


class Trying(Frozen):
    """Event: a try begins; until the next word its outcome is open, as is that of a crash."""

    kind: Literal["trying"] = "trying"
    row: int


class PartSent(Frozen):
    """Event: what the random ids of a part have become so far; the last of all makes the row sent.

    0 stands for a message that was sent but not found; none, like ``APART``, for one that is still
    to be sent.
    """

    kind: Literal["part_sent"] = "part_sent"
    row: int
    part: int
    message_ids: tuple[int | None, ...]


class Delivered(Frozen):
    """Event: Planfix took it."""

    kind: Literal["delivered"] = "delivered"
    row: int


class Failed(Frozen):
    """Event: a try to deliver or to send came to nothing."""

    kind: Literal["failed"] = "failed"
    row: int
    failure: Failure


class StatusTold(Frozen):
    """Event: Planfix has been told, or will never take, a status."""

    kind: Literal["status_told"] = "status_told"
    row: int
    status: PlanfixStatus
    failure: Failure | None = None


class ChatRemembered(Frozen):
    """Event: what Planfix knows about a chat has changed."""

    kind: Literal["chat_remembered"] = "chat_remembered"
    chat: ChatMemory


class Resolved(Frozen):
    """Event: who was found, or why nobody."""

    kind: Literal["resolved"] = "resolved"
    request_id: int
    contact: Contact | None = None
    failure: Failure | None = None


class GapFilled(Frozen):
    """Event: what was written while nobody listened has been looked for in the history."""

    kind: Literal["gap_filled"] = "gap_filled"
    pts_from: int
    pts_to: int
    began: float
    found: int
    missing: int
    detail: str = ""


MessageCommand = Deliver | Send | TellStatus | Stored | Resolve
MessageEvent = (
    Received
    | ReadByContact
    | Trying
    | PartSent
    | Delivered
    | Failed
    | StatusTold
    | ChatRemembered
    | Resolved
    | GapFilled
)
