"""The commands and questions to the worker of a number, and what is remembered of its chats."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from session_worker.protocol.chats import ChatsListed, ListChats
from session_worker.protocol.files import mark_of
from session_worker.protocol.messages import (
    ChatMemory,
    Deliver,
    Incoming,
    PlanfixStatus,
    Resolve,
    Send,
    TellStatus,
)
from session_worker.protocol.outgoing import Outgoing
from supervisor.errors import RecipientUnknown, ResolvingDelayed, WorkerUnavailable
from supervisor.journal.values import next_status
from supervisor.messages.file_links import PHOTO, MessageFile, Photo
from supervisor.processes.questions import Questions
from supervisor.texts import employee_text
from supervisor.texts.bot_texts import for_bot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from session_worker.protocol.chats import ChatSelection
    from session_worker.protocol.contract import Command
    from session_worker.protocol.messages import Contact, Resolved
    from supervisor.journal.journal import Journal
    from supervisor.journal.values import OwedStatus, Waiting
    from supervisor.messages.file_links import FileLinks
    from supervisor.messages.message_service import OutgoingMessage


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
                self._links.of_file(self._file_of(waiting.row, incoming, index), file.name, now)
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

    def _file_of(self, row: int, incoming: Incoming, index: int) -> MessageFile:
        return MessageFile(self._number, row, index, mark_of(incoming, index))

    def _photo_link(self, contact: Contact, now: float) -> str | None:
        if contact.photo_id is None:
            return None
        return self._links.of_photo(Photo(self._number, contact.photo_id), PHOTO, now)


PATIENCE = 10.0  # seconds


class RecipientQuestions:
    """Asks the worker for recipients and passes its answers on."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._questions: Questions[Resolved] = Questions(patience)
        self._lists: Questions[ChatsListed] = Questions(patience)

    async def ask(self, draft: OutgoingMessage, tell: Callable[[Command], None]) -> Contact:
        """Return the contact that was found, or raise the reason why none was."""
        request_id = self._questions.open()
        question = Resolve(
            request_id=request_id,
            user_id=draft.user_id,
            username=draft.username,
            phone=draft.phone,
        )
        tell(question)
        return _contact_of(await self._questions.wait(request_id))

    async def list_chats(
        self,
        selection: ChatSelection | None,
        tell: Callable[[Command], None] | None,
        *,
        names: bool,
    ) -> ChatsListed:
        """Ask which of the number's chats go to Planfix."""
        if tell is None:
            raise WorkerUnavailable
        request_id = self._lists.open()
        tell(ListChats(request_id=request_id, selection=selection, with_names=names))
        return await self._lists.wait(request_id)

    def resolve(self, answer: Resolved | ChatsListed) -> None:
        if isinstance(answer, ChatsListed):
            self._lists.answer(answer.request_id, answer)
        else:
            self._questions.answer(answer.request_id, answer)

    def abort(self) -> None:
        """Tell all callers that no answer will come, because the worker is gone."""
        self._questions.abort()
        self._lists.abort()


def _contact_of(answer: Resolved) -> Contact:
    if answer.contact is not None:
        return answer.contact
    failure = answer.failure
    if failure is not None and failure.next_try is not None:
        wait = failure.next_try - time.time()
        raise ResolvingDelayed(failure.detail or failure.code, wait)
    raise RecipientUnknown((failure and failure.detail) or None)


MOST_KEPT = 500  # chats of one number


class ChatCache:
    """Keeps busy chats in memory and reads the others from the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._chats: OrderedDict[int, ChatMemory] = OrderedDict()

    async def load(self, peers: Collection[int]) -> None:
        """Load these chats; they stay until newer ones replace them."""
        missing = [peer for peer in peers if peer not in self._chats]
        if missing:
            found = await self._journal.memories(missing)
            for peer in missing:
                # The worker may have reported something newer meanwhile.
                self._chats.setdefault(peer, found.get(peer) or ChatMemory(peer_id=peer))

    def forget_all(self) -> None:
        """Forget all chats, because the newest changes may be only in the journal."""
        self._chats.clear()

    def recall(self, peer_id: int) -> ChatMemory | None:
        """Return what is known of a chat, unless newer chats have replaced it."""
        if peer_id in self._chats:
            self._chats.move_to_end(peer_id)
        return self._chats.get(peer_id)

    def add(self, peer_id: int) -> None:
        """Remember a chat that has just started."""
        if peer_id not in self._chats:
            self.remember(ChatMemory(peer_id=peer_id))

    def remember(self, chat: ChatMemory) -> None:
        self._chats[chat.peer_id] = chat
        self._chats.move_to_end(chat.peer_id)
        if len(self._chats) > MOST_KEPT:
            self._chats.popitem(last=False)

    async def has(self, peer_id: int) -> bool:
        """Whether we can write to this person without searching for them in Telegram."""
        if peer_id in self._chats:
            return True
        found = await self._journal.memories([peer_id])  # for most chats this query is enough
        if peer_id not in found and not await self._journal.knows(peer_id):
            return False
        self._chats.setdefault(peer_id, found.get(peer_id) or ChatMemory(peer_id=peer_id))
        return True
