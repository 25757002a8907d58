"""What is remembered of messages: the chat of each on disk, and the newest texts in memory; the rest is asked of Telegram."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from telethon.tl import functions, types

from session_worker.formatting.rendering import render
from session_worker.telegram.reading.message_parser import written
from session_worker.telegram.reading.people import contact_of, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from session_worker.protocol.outgoing import Part
    from session_worker.telegram.reading.people import Ask
    from session_worker.texts.chat_texts import ChatTexts

RECORD = struct.Struct("<iq")
MOST_INDEXED = 50_000  # messages; if there are more, the older half is removed
_ID = struct.Struct("<i")

logger = logging.getLogger(__name__)


class IndexedMessage(NamedTuple):
    """The chat of a message and who wrote it."""

    peer_id: int
    is_out: bool


class MessageIndex:
    """Stores the chat of each message in a file: deletions name only messages and may come after a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._waiting: dict[int, bytearray] = {}
        self._stored: set[int] = set()
        self._fresh = bytearray()
        self._lock = asyncio.Lock()
        self._is_stuck = False
        self.newest = 0

    async def open(self) -> None:
        """Read the highest id of a message that is stored, as all messages before it are."""
        records = await asyncio.to_thread(_read, self._path)
        self.newest = max((each[0] for each in RECORD.iter_unpack(records)), default=0)

    def begin(self, position: int) -> None:
        """Keep what is added from now on out of the file until the update at this position is stored.

        The next process takes the newest message of the file for the last one that was stored.
        """
        self._position = position

    def add(self, message_id: int, peer_id: int, *, is_out: bool) -> None:
        record = RECORD.pack(message_id, -peer_id if is_out else peer_id)
        if self._position:
            self._waiting.setdefault(self._position, bytearray()).extend(record)
        else:
            self._fresh += record
        self.newest = max(self.newest, message_id)

    def finish(self, position: int) -> None:
        """Let the messages of a stored update be written, if those of all earlier ones are stored."""
        if position in self._waiting:
            self._stored.add(position)
        while self._waiting and (first := next(iter(self._waiting))) in self._stored:
            self._stored.remove(first)
            self._fresh += self._waiting.pop(first)

    async def save(self) -> None:
        """Write what may be written and was not yet."""
        async with self._lock:
            fresh, self._fresh = self._fresh, bytearray()
            if not fresh:
                return
            try:
                await asyncio.to_thread(_append, self._path, bytes(fresh))
            except OSError as error:
                # The disk may be full, which may pass; a worker that dies of it would not help.
                self._warn_once(error)
                self._fresh = (fresh + self._fresh)[-MOST_INDEXED * RECORD.size :]
            else:
                self._is_stuck = False

    async def find(self, message_id: int) -> IndexedMessage | None:
        await self.save()
        records = await asyncio.to_thread(_read, self._path)
        records = b"".join((records, self._fresh, *self._waiting.values()))
        needle = _ID.pack(message_id)
        place = records.find(needle)
        while place >= 0 and place % RECORD.size:
            place = records.find(needle, place + 1)
        if place < 0:
            return None
        _, marked = RECORD.unpack_from(records, place)
        return IndexedMessage(abs(marked), marked < 0)

    def _warn_once(self, error: OSError) -> None:
        if not self._is_stuck:
            logger.warning("the index of messages cannot be written: %s", error)
        self._is_stuck = True


def _read(path: Path) -> bytes:
    try:
        records = path.read_bytes()
    except FileNotFoundError:
        return b""
    return records[: len(records) // RECORD.size * RECORD.size]


def _append(path: Path, fresh: bytes) -> None:
    records = _read(path)
    if len(records) < MOST_INDEXED * RECORD.size:
        with path.open("ab") as file:
            # A crash may have left an incomplete record.
            file.truncate(len(records))
            file.write(fresh)
        return
    shorter = path.with_suffix(".new")
    shorter.write_bytes(records[len(records) // RECORD.size // 2 * RECORD.size :] + fresh)
    shorter.replace(path)


MOST_RECENT = 500  # messages
LONGEST_SNIPPET = 200  # characters


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """One message, shortened."""

    peer_id: int
    is_out: bool
    snippet: str
    file: int | None = None


class RecentMessages:
    """The newest messages of all chats, by their ids."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, RecentMessage] = OrderedDict()

    def add(self, message_id: int, recent: RecentMessage) -> None:
        self._messages[message_id] = recent
        self._messages.move_to_end(message_id)
        if len(self._messages) > MOST_RECENT:
            self._messages.popitem(last=False)

    def find(self, message_id: int) -> RecentMessage | None:
        return self._messages.get(message_id)


class SentMessages:
    """Records what we sent, which Telegram does not report to its sender.

    Its index is separate from that of received messages, whose newest id says up to where
    everything was received.
    """

    def __init__(self, recent_messages: RecentMessages, places: MessageIndex) -> None:
        self._recent_messages = recent_messages
        self._places = places

    async def add(self, peer_id: int, part: Part, sent: Sequence[int | None]) -> None:
        """Record which messages a part has become."""
        if peer_id < 0:
            return  # the ids of a group's messages are its own
        found = [message_id for message_id in dict.fromkeys(sent) if message_id and message_id > 0]
        for message_id in found:
            self._places.add(message_id, peer_id, is_out=True)
        if part.text and sent[-1] in found:
            self._remember(peer_id, sent[-1], part.text)
        await self._places.save()

    def _remember(self, peer_id: int, message_id: int | None, text: str) -> None:
        if message_id is not None and self._recent_messages.find(message_id) is None:
            recent = RecentMessage(peer_id, is_out=True, snippet=snippet(render(text).text))
            self._recent_messages.add(message_id, recent)


def snippet(text: str) -> str:
    """Shorten a text to its beginning."""
    text = text.strip()
    return text if len(text) <= LONGEST_SNIPPET else f"{text[:LONGEST_SNIPPET].rstrip()}…"


NOBODY = types.User(0)


class MessageLookup:
    """Fetches single messages again."""

    def __init__(self, ask: Ask, recent_messages: RecentMessages, texts: ChatTexts) -> None:
        self._ask = ask
        self._recent_messages = recent_messages
        self._texts = texts

    async def message(self, message_id: int) -> Any | None:
        """Fetch a message as it is now; returns None if it no longer exists."""
        found = await self._ask(
            functions.messages.GetMessagesRequest([types.InputMessageID(message_id)])
        )
        message = found.messages[0] if found.messages else None
        return None if isinstance(message, types.MessageEmpty) else message

    async def snippet(self, message_id: int) -> str:
        """Return the beginning of a message's text, or nothing if it no longer exists."""
        recent = self._recent_messages.find(message_id)
        if recent is not None:
            return recent.snippet
        message = await self.message(message_id)
        if message is None or not isinstance(message.peer_id, types.PeerUser):
            return ""
        parsed = written(message, contact_of(NOBODY), names_of({}), self._texts)
        return snippet(parsed.incoming.text or parsed.label)
