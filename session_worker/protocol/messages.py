"""Messages as they cross the pipe: what people write, what employees answer, and the outcome of both."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import FailFast, Field

from session_worker.protocol.bots import HeardMessage
from session_worker.protocol.chats import ChatCommand, ChatEvent
from session_worker.protocol.outgoing import Outgoing
from session_worker.protocol.pipe_fields import (
    MOST_FILES,
    MOST_PARTS,
    CommandText,
    Detail,
    Ids,
    Int32,
    Int64,
    Label,
    Moment,
    Name,
    Phone,
    PipeValue,
    Text,
)


class Contact(PipeValue):
    """The person on the other side in Telegram, as far as this number may know them."""

    peer_id: Int64
    first_name: Name = ""
    last_name: Name = ""
    username: Name | None = None
    phone: Phone | None = None
    photo_id: Int64 | None = None


class IncomingFile(PipeValue):
    """A file of a Telegram message, fetched when the message is delivered."""

    message_id: Int64
    name: Name
    mime: Label
    size: Int64


class IncomingKind(StrEnum):
    """What happened in a private chat."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"
    REACTION = "reaction"


class Incoming(PipeValue):
    """Something that happened in a private chat, reported to Planfix as one message.

    An album has several message ids. ``text`` can be read as it is; the text of the message that is
    replied to is looked up at delivery.
    """

    what: IncomingKind = IncomingKind.MESSAGE
    peer_id: Int64
    message_ids: Annotated[Ids, Field(min_length=1)]
    date: Int64
    edit_date: Int64 | None = None
    is_echo: bool = False
    text: Text
    reply_to: Int64 | None = None
    contact: Contact
    files: Annotated[tuple[IncomingFile, ...], FailFast(), Field(max_length=MOST_FILES)] = ()


class ChatMemory(PipeValue):
    """What Planfix has been told about a chat, so that it is told only once."""

    peer_id: Int64
    task: Int64 | None = None
    contact: Contact | None = None


class PlanfixStatus(StrEnum):
    """What Planfix is told about a message that came from it."""

    SENT = "sent"
    READ = "read"
    ERROR = "error"


class Failure(PipeValue):
    """Why a try failed; without a next try the failure is final."""

    code: Label
    detail: Detail = ""
    next_try: Moment | None = None


class Deliver(PipeValue):
    """Command: deliver this to Planfix, after everything handed over earlier for the same chat."""

    kind: Literal["deliver"] = "deliver"
    row: int
    incoming: Incoming
    links: tuple[CommandText, ...] = ()
    photo_link: CommandText | None = None
    chat: ChatMemory
    attempts: int = 0
    next_try: float = 0.0
    is_uncertain: bool = False


class Send(PipeValue):
    """Command: send this in Telegram, after everything handed over earlier for the same chat."""

    kind: Literal["send"] = "send"
    row: int
    outgoing: Outgoing
    attempts: int = 0
    next_try: float = 0.0
    is_first: bool = False
    """Whether it opens a chat with somebody who has not written to us."""


class TellStatus(PipeValue):
    """Command: tell Planfix the status of a message that came from it."""

    kind: Literal["tell_status"] = "tell_status"
    row: int
    planfix_id: CommandText
    status: PlanfixStatus
    text: CommandText = ""


class Stored(PipeValue):
    """Command: what was received at these positions is stored, so the update state may move on."""

    kind: Literal["stored"] = "stored"
    positions: tuple[int, ...]


class Drain(PipeValue):
    """Command: deliver nothing more to Planfix, and say when no message is on its way there."""

    kind: Literal["drain"] = "drain"


class Resolve(PipeValue):
    """Command: find a person to write to for the first time."""

    kind: Literal["resolve"] = "resolve"
    request_id: int
    user_id: int | None = None
    username: CommandText | None = None
    phone: CommandText | None = None


class Received(PipeValue):
    """Event: something was written to the number, or by its owner; store it and confirm that."""

    kind: Literal["received"] = "received"
    positions: Ids
    incoming: Incoming
    # What the bot itself has to react to, and whether Planfix is told of the message as well.
    heard: HeardMessage | None = None
    is_for_planfix: bool = True


class ReadByContact(PipeValue):
    """Event: the contact has read what the number wrote, up to this message."""

    kind: Literal["read_by_contact"] = "read_by_contact"
    positions: Ids
    peer_id: Int64
    up_to: Int64


class Trying(PipeValue):
    """Event: a try begins; until the next event its outcome is unknown, as it is after a crash."""

    kind: Literal["trying"] = "trying"
    row: Int64


class PartSent(PipeValue):
    """Event: what the random ids of a part have become so far; the last part makes the row sent.

    0 stands for a message that was sent but not found, None for one that is still to be sent.
    """

    kind: Literal["part_sent"] = "part_sent"
    row: Int64
    part: Annotated[int, Field(ge=0, lt=MOST_PARTS)]
    message_ids: Annotated[tuple[Int64 | None, ...], FailFast(), Field(max_length=MOST_FILES)]


class Delivered(PipeValue):
    """Event: Planfix has accepted the row."""

    kind: Literal["delivered"] = "delivered"
    row: Int64


class Failed(PipeValue):
    """Event: a try failed; `was_untold` if it was not announced as Trying, since nothing can have arrived."""

    kind: Literal["failed"] = "failed"
    row: Int64
    failure: Failure
    was_untold: bool = False


class StatusTold(PipeValue):
    """Event: Planfix has accepted a status, or will never accept it."""

    kind: Literal["status_told"] = "status_told"
    row: Int64
    status: PlanfixStatus
    failure: Failure | None = None


class Drained(PipeValue):
    """Event: no message is on its way to Planfix, and none will be; all outcomes were reported."""

    kind: Literal["drained"] = "drained"


class ChatRemembered(PipeValue):
    """Event: what Planfix knows about a chat has changed."""

    kind: Literal["chat_remembered"] = "chat_remembered"
    chat: ChatMemory


class Resolved(PipeValue):
    """Event: who was found, or why nobody was."""

    kind: Literal["resolved"] = "resolved"
    request_id: Int64
    contact: Contact | None = None
    failure: Failure | None = None


class GapFilled(PipeValue):
    """Event: messages written while the number was not listening were looked for in the history."""

    kind: Literal["gap_filled"] = "gap_filled"
    pts_from: Int32
    pts_to: Int32
    began: Moment
    found: Int32
    missing: Int32
    detail: Detail = ""


MessageCommand = Deliver | Send | TellStatus | Stored | Drain | Resolve | ChatCommand
MessageEvent = (
    Received
    | ReadByContact
    | Trying
    | PartSent
    | Delivered
    | Failed
    | StatusTold
    | Drained
    | ChatRemembered
    | Resolved
    | GapFilled
    | ChatEvent
)


class FailureCode(StrEnum):
    """Why something did not reach Planfix; the texts for people are kept where they are shown."""

    UNAVAILABLE = "planfix_unavailable"
    ANSWER_LOST = "planfix_answer_lost"
    UNAUTHORIZED = "planfix_unauthorized"
    FORBIDDEN = "planfix_forbidden"
    REJECTED = "planfix_rejected"
    FILE_UNREACHABLE = "telegram_file_unreachable"
    INTERNAL = "internal_error"
