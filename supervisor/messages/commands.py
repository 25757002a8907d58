"""Turns rows of the journal into commands for the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.messages import (
    ChatMemory,
    Deliver,
    Incoming,
    PlanfixStatus,
    Send,
    TellStatus,
)
from session_worker.protocol.outgoing import Outgoing
from supervisor.journal.values import next_status
from supervisor.messages.file_links import PHOTO, MessageFile, Photo
from supervisor.texts import employee_text
from supervisor.texts.bot_texts import for_bot

if TYPE_CHECKING:
    from session_worker.protocol.messages import Contact
    from supervisor.journal.values import OwedStatus, Waiting
    from supervisor.messages.file_links import FileLinks


class CommandFactory:
    """Makes the commands of one number."""

    def __init__(self, number: str, links: FileLinks, language: str) -> None:
        self._number = number
        self._links = links
        self._language = language
        self.is_bot = False

    def deliver(self, waiting: Waiting, chat: ChatMemory | None, now: float) -> Deliver:
        incoming = waiting.body
        if not isinstance(incoming, Incoming):
            raise TypeError(f"row {waiting.row} has the other direction")
        return Deliver(
            row=waiting.row,
            incoming=incoming,
            links=tuple(
                self._links.of_file(MessageFile(self._number, waiting.row, index), file.name, now)
                for index, file in enumerate(incoming.files)
            ),
            photo_link=self._photo_link(incoming.contact, now),
            chat=chat or ChatMemory(peer_id=waiting.peer_id),
            attempts=waiting.attempts,
            next_try=waiting.next_try,
            # A task proves that an earlier attempt succeeded only if no task was known before.
            is_uncertain=waiting.is_uncertain and chat is not None,
        )

    def send(self, waiting: Waiting) -> Send:
        outgoing = waiting.body
        if not isinstance(outgoing, Outgoing):
            raise TypeError(f"row {waiting.row} has the other direction")
        return Send(
            row=waiting.row,
            outgoing=outgoing,
            attempts=waiting.attempts,
            next_try=waiting.next_try,
            is_first=waiting.is_first,
        )

    def status(self, owed: OwedStatus) -> TellStatus:
        status = next_status(owed.due, owed.told)
        text = ""
        if status is PlanfixStatus.ERROR:
            text = employee_text(owed.error_code or "", self._language)
            text = for_bot(text) if self.is_bot else text
        return TellStatus(row=owed.row, planfix_id=owed.planfix_id, status=status, text=text)

    def _photo_link(self, contact: Contact, now: float) -> str | None:
        if contact.photo_id is None:
            return None
        return self._links.of_photo(Photo(self._number, contact.photo_id), PHOTO, now)
