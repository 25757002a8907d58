"""The dispatchers of all numbers, and what the API does with messages: accept, list, and replay them."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from session_worker.formatting.plan import plan
from session_worker.protocol.outgoing import Attachment, Outgoing
from supervisor.database.tables import Direction
from supervisor.errors import (
    MessageEmpty,
    MessageTooLarge,
    RecipientUnknown,
    TelegramUnreachable,
)
from supervisor.journal.values import chat_id, peer_of
from supervisor.messages import draining
from supervisor.messages.dispatcher import Dispatcher
from supervisor.messages.file_links import FileLinks, remove_newer_rows
from supervisor.nodes.files import SharedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from session_worker.protocol.chats import ChatSelection, ListedChat
    from session_worker.protocol.messages import Contact
    from session_worker.protocol.outgoing import Part
    from supervisor.config import Config
    from supervisor.journal.browsing import Selection
    from supervisor.journal.journal import Journal
    from supervisor.journal.pending import Excluded
    from supervisor.journal.values import Counts, Entry, MessagePath, Receipt, Waiting
    from supervisor.messages.traffic import MessageNews, Watcher
    from supervisor.nodes.node import Node
    from supervisor.store.store import Store


DAY = 24 * 3600.0  # seconds


class Dispatchers:
    """The dispatchers of all numbers; each is opened when it is first needed."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._language = config.language
        self._spool_of = config.spool_of
        self._dispatchers: dict[str, Dispatcher] = {}
        self._without_strays: set[str] = set()
        self._erased = 0
        self._is_shared = config.node is not None
        self.files = SharedFiles(store, config)
        self.is_kept: Callable[[str], bool] = lambda _number: True
        """Whether this node runs the number; otherwise nothing of it is remembered here."""
        self.watcher: Watcher | None = None
        self.report: Callable[[MessageNews], None] = lambda _news: None
        # A link is valid for as long as its file is kept.
        self.links = FileLinks(store.link_keys, config.public_url, config.retention_days * DAY)

    async def of(self, number: str) -> Dispatcher:
        while number not in self._dispatchers:
            erased = self._erased
            journal = await self._store.journals.open(number)
            dispatcher = Dispatcher(
                journal,
                self.links,
                self._language,
                watcher=self.watcher,
                load_outgoing=partial(self._load, journal) if self._is_shared else None,
            )
            if not self.is_kept(number):
                return dispatcher
            if erased == self._erased:  # otherwise the journal may use the key of an erased number
                dispatcher.traffic.report = self.report
                self._dispatchers.setdefault(number, dispatcher)
        return self._dispatchers[number]

    async def _load(
        self, journal: Journal, excluded: Excluded, limit: int
    ) -> tuple[list[Waiting], int]:
        """Load what waits for Telegram, with the files that came with calls at other nodes."""
        waiting, looked_at = await journal.waiting(Direction.OUT, excluded, limit)
        await self.files.bring_uploads(journal.number, [each.body for each in waiting])
        return waiting, looked_at

    async def of_next_worker(self, number: str) -> Dispatcher:
        """Return the dispatcher of a number that has no worker now and gets one.

        Before the first one, files of rows that this database does not have are removed: they are
        of another database, or of the time after a backup, and a new message may get such a row.
        """
        if number not in self._without_strays:
            newest = await self._store.journals.newest(number)
            await asyncio.to_thread(remove_newer_rows, self._spool_of(number), newest)
            self._without_strays.add(number)
        return await self.of(number)

    def reload(self, number: str, waiting: int | None = None) -> None:
        """Look for messages of employees that no worker has; see `HandOver.reload_if_behind`."""
        if number in self._dispatchers:
            _, outgoing, _ = self._dispatchers[number].hand_overs
            outgoing.reload_if_behind(waiting)

    async def look_for_messages(self, counts: Mapping[str, Counts]) -> None:
        """Hand over what waits although no node has announced it."""
        for number, count in counts.items():
            self.reload(number, count.backlog.out)
        if self.watcher is not None:
            await self.watcher.look_for_work()

    async def drain(self, number: str) -> bool:
        """Let a number deliver nothing more before it moves; see `draining.drain`."""
        dispatcher = self._dispatchers.get(number)
        return dispatcher is not None and await draining.drain(dispatcher)

    async def drain_briefly(self, number: str) -> None:
        if number in self._dispatchers:
            await draining.drain_briefly(self._dispatchers[number])

    async def record_noted(self, number: str) -> None:
        if number in self._dispatchers:
            await draining.record_noted(self._dispatchers[number], self._spool_of(number))

    async def record_left(self, number: str) -> None:
        """Record what the last worker on this machine delivered before it was killed with its gateway."""
        with draining.tolerated(number):
            noted = await draining.read_notes(self._spool_of(number))
            if noted:
                epoch = (await self._store.numbers.get(number)).epoch
                await draining.record_left(await self._store.journals.open(number), epoch, noted)

    def forget(self, number: str) -> None:
        """Forget a number that is erased, and the key of its messages."""
        self._erased += 1
        self._dispatchers.pop(number, None)


MOST_SEARCHED = 5000  # rows that one search decrypts
MOST_CHARACTERS = 500_000  # so that every message fits into a frame of the pipe


class Accepted(NamedTuple):
    """The answer to Planfix about a message that is stored now or was stored before."""

    chat_id: str
    contact_id: str
    is_repeat: bool


class Chats(NamedTuple):
    """The private chats of a number, and the folders that were named but do not exist."""

    chats: tuple[ListedChat, ...]
    unknown_folders: tuple[str, ...]
    is_complete: bool


class AttachmentDraft(NamedTuple):
    """A file that Planfix offers under a link."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What an employee wrote, to a chat or to a person who must be found first."""

    planfix_id: str
    text: str = ""
    attachments: tuple[AttachmentDraft, ...] = ()
    chat_id: str | None = None
    user_id: int | None = None
    username: str | None = None
    phone: str | None = None

    @property
    def names_somebody(self) -> bool:
        return any((self.user_id, self.username, self.phone))


class MessageService:
    """The messages of all numbers."""

    def __init__(
        self,
        dispatchers: Dispatchers,
        require_online: Callable[[str], None],
        node: Node | None = None,
    ) -> None:
        """Let `require_online` raise NumberOffline for a number that is not connected."""
        self._node = node
        self._dispatchers = dispatchers
        self._require_online = require_online

    async def accept(self, number: str, draft: OutgoingMessage) -> Accepted:
        """Store a message durably; its recipient is known when this returns."""
        _check(draft)
        dispatcher = await self._dispatchers.of(number)
        peer_id, new = await self._recipient(dispatcher, draft)
        attachments = tuple(Attachment(name=each.name, url=each.url) for each in draft.attachments)
        parts = await plan_in_turn(dispatcher.planning, draft.text, attachments)
        if not parts:
            raise MessageEmpty
        outgoing = Outgoing(
            peer_id=peer_id, planfix_id=draft.planfix_id, attachments=attachments, parts=parts
        )
        accepted = await dispatcher.accept(outgoing, new)
        if self._node is not None and not accepted.is_repeat:
            self._node.wake_owner(number)
        peer = accepted.peer_id
        return Accepted(chat_id(number, peer), str(peer), accepted.is_repeat)

    async def list(self, number: str, selection: Selection) -> tuple[Entry, ...]:
        return await (await self._dispatchers.of(number)).journal.list(selection)

    async def search(self, number: str, selection: Selection) -> tuple[Sequence[Entry], int | None]:
        """Find words in sealed messages; also return the id before which to go on, if more may follow."""
        journal = (await self._dispatchers.of(number)).journal
        return await journal.search(selection, MOST_SEARCHED)

    async def find_path(self, number: str, row: int) -> MessagePath:
        return await (await self._dispatchers.of(number)).journal.find_path(row)

    async def dismiss(self, number: str, row: int) -> None:
        dispatcher = await self._dispatchers.of(number)
        await dispatcher.journal.dismiss(row)
        dispatcher.traffic.move()

    async def chats(
        self, number: str, selection: ChatSelection | None, *, with_names: bool
    ) -> Chats:
        """Show which private chats go to Planfix; without names, left-out people are only ids."""
        self._require_online(number)
        dispatcher = await self._dispatchers.of(number)
        listed = await dispatcher.list_chats(selection, with_names=with_names)
        if listed.failure:
            raise TelegramUnreachable
        return Chats(listed.chats, listed.unknown_folders, listed.is_complete)

    async def replay(self, number: str, row: int) -> None:
        await (await self._dispatchers.of(number)).replay(row)

    async def replay_all(self, number: str) -> int:
        """Send all dead letters again; return how many there were."""
        return await (await self._dispatchers.of(number)).replay_all()

    async def receipts(self, number: str, limit: int = 100) -> tuple[Receipt, ...]:
        return await (await self._dispatchers.of(number)).journal.receipts(limit)

    async def _recipient(
        self, dispatcher: Dispatcher, draft: OutgoingMessage
    ) -> tuple[int, Contact | None]:
        """Return the recipient, and who they are if they had to be searched for."""
        chat_peer = peer_of(dispatcher.number, draft.chat_id) if draft.chat_id else None
        for peer_id in (chat_peer, draft.user_id):
            if peer_id and await dispatcher.chats.has(peer_id):
                return peer_id, None
        repeated = await dispatcher.journal.find_repeat(draft.planfix_id)
        if repeated is not None:
            return repeated.peer_id, None
        if not draft.names_somebody:
            raise RecipientUnknown("the chat is unknown" if draft.chat_id else None)
        if self._node is not None:
            await self._node.require_here(dispatcher.number)
        self._require_online(dispatcher.number)
        contact = await dispatcher.resolve(draft)
        return contact.peer_id, contact


def _check(draft: OutgoingMessage) -> None:
    files = sum(len(name) + len(url) for name, url in draft.attachments)
    if len(draft.text) + files > MOST_CHARACTERS:
        raise MessageTooLarge


SHORT = 4096  # characters; planning any text of this size takes milliseconds


async def plan_in_turn(
    turn: asyncio.Lock, text: str, attachments: Sequence[Attachment]
) -> tuple[Part, ...]:
    """Plan a short text at once and a long one in a thread, one after the other, in call order.

    The event loop answers the beats of all workers, so no text may block it for long. With a lock
    for each number, one number keeps at most one thread busy.
    """
    async with turn:
        if len(text) <= SHORT:
            return plan(text, attachments, _draw)
        return await asyncio.to_thread(plan, text, attachments, _draw)


def _draw() -> int:
    return secrets.randbits(63) or 1
