"""The state of one row while it is sent to Telegram."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from session_worker.protocol.outgoing import SENT_SEPARATELY

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.failures import Cause, Remedy
    from session_worker.protocol.messages import Send
    from session_worker.protocol.outgoing import Attachment, Outgoing, Part


class FileFailed(Exception):
    """One file of a message cannot be sent; the rest may be."""

    def __init__(self, index: int, cause: Cause) -> None:
        super().__init__(f"file {index}: {cause.code} {cause.detail}")
        self.index = index
        self.cause = cause


@dataclass(slots=True)
class SendState:
    """What an employee wrote and what earlier tries have achieved.

    ``uploaded`` contains the files that Telegram has, ``ids`` the message of each random id, and
    ``sent_separately`` the random ids of texts that are sent without a file for good.
    """

    send: Send
    folder: Path
    troubles: Counter[Remedy] = field(default_factory=Counter)
    done: set[int] = field(default_factory=set)
    failed_files: dict[int, Cause] = field(default_factory=dict)
    as_documents: set[int] = field(default_factory=set)
    uploaded: dict[int, Any] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)
    sent_separately: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        attachments = enumerate(self.outgoing.attachments)
        self.as_documents |= {index for index, each in attachments if each.as_document}
        for part in self.outgoing.parts:
            for random_id, sent in zip(part.random_ids, part.sent, strict=False):
                if sent == SENT_SEPARATELY:
                    self.sent_separately.add(random_id)
                elif sent is not None:
                    self.ids[random_id] = sent

    @property
    def outgoing(self) -> Outgoing:
        return self.send.outgoing

    @property
    def is_expired(self) -> bool:
        """Whether it is too late to begin; what has begun is sent to its end."""
        expires = self.outgoing.expires
        return expires is not None and expires < time.time() and not self.ids

    def outgoing_of(self, part: Part) -> Outgoing:
        """Return what is sent, with its keyboard only if this part carries it."""
        texts = [each for each in self.outgoing.parts if each.text] or list(self.outgoing.parts)
        if self.outgoing.keyboard is None or part is texts[-1]:
            return self.outgoing
        return self.outgoing.changed(keyboard=None)

    @property
    def open_parts(self) -> list[tuple[int, Part]]:
        """The parts that have not been sent completely, with their positions."""
        return [(i, part) for i, part in enumerate(self.outgoing.parts) if not part.is_sent]

    def attachment(self, index: int) -> Attachment:
        return self.outgoing.attachments[index]

    def path_of(self, index: int) -> Path:
        """Return the path of a file."""
        return self.folder / str(index)

    def sent(self, part: Part) -> tuple[int | None, ...]:
        """Return which messages the random ids of a part have become."""
        return tuple(self.ids.get(each, self._without_message(each)) for each in part.random_ids)

    def _without_message(self, random_id: int) -> int | None:
        return SENT_SEPARATELY if random_id in self.sent_separately else None
