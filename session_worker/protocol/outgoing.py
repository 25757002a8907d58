"""What is sent in Telegram: texts with marks, files and keyboards, cut into messages."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from session_worker.protocol.pipe_fields import CommandText, Int64, PipeValue


class MarkKind(StrEnum):
    """The ways in which a stretch of text can be formatted."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"
    LONG_QUOTE = "long_quote"
    LINK = "link"
    MENTION = "mention"
    EMOJI = "emoji"


class Mark(PipeValue):
    """A formatted stretch of a text, in UTF-16 units, as Telegram counts.

    ``value`` is the address of a link, the language of code, the id of a person or of an emoji.
    """

    kind: MarkKind
    offset: int
    length: int
    value: CommandText = ""


class Button(PipeValue):
    """A button, which does one of these things when it is pressed, or writes its own text."""

    text: CommandText
    url: CommandText | None = None
    data: CommandText | None = None
    web_app: CommandText | None = None
    asks_contact: bool = False


class Keyboard(PipeValue):
    """The buttons under a message, or those in place of the person's keyboard."""

    kind: Literal["inline", "reply", "remove", "force_reply"] = "inline"
    rows: tuple[tuple[Button, ...], ...] = ()
    is_persistent: bool = False
    fits_height: bool = False
    hides_after_use: bool = False
    placeholder: CommandText | None = None


UPLOADED = "upload:"
"""Begins the address of a file that the gateway has put into the number's own folder."""


class Attachment(PipeValue):
    """A file to be sent, behind a link or in the number's own folder."""

    name: CommandText
    url: CommandText
    as_document: bool = False


SENT_SEPARATELY = -1
"""Marks a caption that is sent as a message of its own; it must never be sent with the file again."""


class Part(PipeValue):
    """One Telegram message, or one album, of an outgoing message.

    Each of its messages is sent under its own random id, which is fixed before the first try;
    ``sent`` contains, in the same order, the ids of the messages that they have become so far.
    """

    text: CommandText = ""
    marks: tuple[Mark, ...] | None = None
    files: tuple[int, ...] = ()
    random_ids: tuple[int, ...] = Field(min_length=1)
    sent: tuple[int | None, ...] = ()

    @property
    def is_sent(self) -> bool:
        """Whether nothing of this part is left to be sent."""
        return bool(self.sent) and not {None, SENT_SEPARATELY} & set(self.sent)


class Outgoing(PipeValue):
    """What an employee answers or a program reports, split into parts.

    ``keyboard`` belongs to the last part that has a text. ``peer_id`` is negative for a group or
    a channel, as in the Bot API. What is protected cannot be forwarded or saved.
    """

    peer_id: Int64
    planfix_id: CommandText
    attachments: tuple[Attachment, ...] = ()
    parts: tuple[Part, ...]
    keyboard: Keyboard | None = None
    is_silent: bool = False
    is_protected: bool = False
    without_preview: bool = False
    topic: int | None = None
    reply_to: int | None = None
    expires: float | None = None
    connector: Literal["planfix", "notify", "bot"] = "planfix"
