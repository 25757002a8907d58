"""What a notification says, as it is stored once and sent to each of its recipients."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from session_worker.formatting.plan import LONGEST_CAPTION, LONGEST_TEXT, arrange
from session_worker.protocol.outgoing import Attachment, Button, Keyboard, Mark, MarkKind, Outgoing
from session_worker.protocol.pipe_fields import CommandText, PipeValue
from supervisor.errors import MessageEmpty, MessageTooLarge
from supervisor.notifications.formatting.marked_text import width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.store.values import Queued

T = TypeVar("T")
Given = ParamSpec("Given")

# Some names are passed on from session_worker, which the API may not import.
__all__ = [
    "LONGEST_CAPTION",
    "LONGEST_TEXT",
    "Attachment",
    "Button",
    "Keyboard",
    "Manner",
    "Mark",
    "MarkKind",
    "Notice",
    "Rejected",
    "beside_loop",
    "make_notice",
]

SHORT = 4096  # characters; reading or cutting any text of this size takes milliseconds
LONGEST_NOTICE = 65_536  # characters
MOST_FILES = 10


class Rejected(PipeValue):
    """A recipient to whom nothing can be sent, and why."""

    to: CommandText
    code: CommandText
    detail: CommandText = ""


class Notice(PipeValue):
    """Texts short enough for Telegram, files and buttons, kept together with the rejected recipients.

    ``task`` is the task in Planfix that it is about: an answer becomes a comment there. ``event`` is
    what a script of Planfix sent, while Planfix is still to be asked for the rest.
    """

    texts: tuple[tuple[CommandText, tuple[Mark, ...]], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    keyboard: Keyboard | None = None
    is_silent: bool = False
    is_protected: bool = False
    without_preview: bool = False
    reply_to: int | None = None
    rejected: tuple[Rejected, ...] = ()
    task: CommandText = ""
    event: CommandText = ""

    @property
    def parts(self) -> int:
        """The number of messages, as far as it is known before files are grouped into albums."""
        return max(1, len(self.texts) + len(self.attachments) - self._can_be_caption)

    def outgoing(self, recipient: Queued, key: str) -> Outgoing:
        """Make the message to one recipient, under random ids of its own."""
        return Outgoing(
            peer_id=recipient.peer_id,
            planfix_id=key,
            attachments=self.attachments,
            parts=arrange(
                self.texts,
                self.attachments,
                can_be_caption=self._can_be_caption,
                last_alone=self.keyboard is not None and not self.texts,
            ),
            keyboard=self.keyboard,
            is_silent=self.is_silent,
            is_protected=self.is_protected,
            without_preview=self.without_preview,
            topic=recipient.topic,
            reply_to=self.reply_to,
            expires=recipient.expires,
            connector="notify",
        )

    @property
    def _can_be_caption(self) -> bool:
        # Several files may become an album, which carries no buttons.
        most = MOST_FILES if self.keyboard is None else 1
        has_one = len(self.texts) == 1 and 0 < len(self.attachments) <= most
        return has_one and width_of(self.texts[0][0]) <= LONGEST_CAPTION


@dataclass(frozen=True, slots=True)
class Manner:
    """How a notification is sent."""

    keyboard: Keyboard | None = None
    is_silent: bool = False
    is_protected: bool = False
    without_preview: bool = False
    reply_to: int | None = None
    dedup_key: str | None = None
    not_before: float = 0.0
    expires: float | None = None


async def beside_loop(
    length: int, work: Callable[Given, T], *args: Given.args, **kwargs: Given.kwargs
) -> T:
    """Do work with a text at once if it is short, and otherwise in a thread.

    The event loop answers the beats of all workers, so no text may block it for long.
    """
    if length <= SHORT:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def make_notice(text: MarkedText, attachments: Sequence[Attachment], manner: Manner) -> Notice:
    """Cut the text; raise MessageEmpty or MessageTooLarge if there is too little or too much."""
    if len(text.text) > LONGEST_NOTICE or len(attachments) > MOST_FILES:
        raise MessageTooLarge
    texts = tuple((piece.text, piece.marks) for piece in text.cut())
    if not texts and not attachments:
        raise MessageEmpty
    return Notice(
        texts=texts,
        attachments=tuple(attachments),
        keyboard=manner.keyboard,
        is_silent=manner.is_silent,
        is_protected=manner.is_protected,
        without_preview=manner.without_preview,
        reply_to=manner.reply_to,
    )
