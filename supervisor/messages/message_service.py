"""What the API does with messages: accept, list, and replay them, and open their files."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from session_worker.formatting.plan import plan
from session_worker.protocol.contract import incoming_file, photo_file
from session_worker.protocol.messages import Incoming
from session_worker.protocol.outgoing import Attachment, Outgoing
from supervisor.errors import (
    FileGone,
    MessageEmpty,
    MessageTooLarge,
    NumberUnknown,
    RecipientUnknown,
    TelegramUnreachable,
)
from supervisor.file_access import OutsideRoot, open_inside
from supervisor.journal.decisions import chat_id, peer_of
from supervisor.messages.commands import PHOTO
from supervisor.messages.file_links import MessageFile, Photo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from session_worker.protocol.chats import ChatSelection, ListedChat
    from session_worker.protocol.messages import Contact
    from session_worker.protocol.outgoing import Part
    from supervisor.config import Config
    from supervisor.journal.browsing import Selection
    from supervisor.journal.values import Entry, MessagePath, Receipt
    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.messages.dispatchers import Dispatchers
    from supervisor.messages.recipients import OutgoingMessage
    from supervisor.nodes.node import Node


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


class OpenFile(NamedTuple):
    """The file that a link points to."""

    path: Path
    name: str
    mime: str
    number: str = ""
    folder: Path | None = None

    def open(self) -> int:
        """Open the file without following links, because a hostile worker controls its folder."""
        folder = self.folder or self.path.parent
        try:
            descriptor = open_inside(folder, str(self.path.relative_to(folder)))
        except (OSError, OutsideRoot) as exc:
            raise FileGone from exc
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileGone
        return descriptor


class MessageService:
    """The messages of all numbers."""

    def __init__(
        self,
        dispatchers: Dispatchers,
        config: Config,
        require_online: Callable[[str], None],
        node: Node | None = None,
    ) -> None:
        """Let `require_online` raise NumberOffline for a number that is not connected."""
        self._node = node
        self._files = dispatchers.files
        self._dispatchers = dispatchers
        self._config = config
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
        """Find words in sealed messages; return also where to go on, if there may be more."""
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
        """Show which private chats go to Planfix; without names, who is left out is only an id."""
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

    async def open_file(self, token: str) -> OpenFile:
        """Return where the file of a link is stored; raise `LinkInvalid` or `FileGone`."""
        place = self._dispatchers.links.check(token, time.time())
        folder = self._config.spool_of(place.number)
        match place:
            case Photo(number=number, photo_id=photo_id):
                path = photo_file(folder, photo_id)
                found = OpenFile(path, PHOTO, "image/jpeg", number, folder)
            case _:
                found = await self._find(place, folder)
        if await asyncio.to_thread(found.path.is_file):
            return found
        return await self._open_shared(place.number, found)

    async def _open_shared(self, number: str, file: OpenFile) -> OpenFile:
        """Fetch the file from the database; if it is not there yet, the number's node has it."""
        if self._node is None or file.folder is None:
            raise FileGone
        path = file.path.relative_to(file.folder)
        try:
            folder = await self._files.fetch(number, str(path))
        except FileGone:
            await self._node.require_here(number)
            raise
        return file._replace(path=folder / path, folder=folder)

    async def _find(self, file: MessageFile, folder: Path) -> OpenFile:
        try:
            dispatcher = await self._dispatchers.of(file.number)
        except NumberUnknown as exc:
            raise FileGone from exc
        body = await dispatcher.journal.find_body(file.row)
        if not isinstance(body, Incoming) or file.index >= len(body.files):
            raise FileGone
        described = body.files[file.index]
        path = incoming_file(folder, file.row, file.index)
        return OpenFile(path, described.name, described.mime, file.number, folder)

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
