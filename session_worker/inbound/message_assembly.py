"""A message on its way to Planfix, with its files fetched, its quote found."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.protocol.messages import Failed, Failure, FailureCode
from session_worker.protocol.spool import incoming_file, photo_file
from session_worker.telegram.errors import (
    FloodWait,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
)
from session_worker.telegram.reading.downloads import FileGone, FileTooLarge
from session_worker.telegram.reading.formatting import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import TypeVar

    from session_worker.protocol.messages import Deliver, IncomingFile
    from session_worker.session import Outbox
    from session_worker.telegram.reading.downloads import Downloads
    from session_worker.telegram.reading.history import History
    from session_worker.telegram.reading.profiles import Profiles
    from session_worker.texts.chat_texts import ChatTexts

    T = TypeVar("T")

log = logging.getLogger(__name__)

MOST_TRIES = 8  # of a request that Telegram answers with trouble of its own
MOST_CUTS = 30  # of the line, or of that to another data centre, while nothing comes
LONGEST_DOWNLOAD = 3600.0  # seconds of being tried; the chat waits for it
PHOTO_LIMIT = 10.0  # seconds
BACKOFF = Backoff(longest=60.0)
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AssembledMessage:
    """What of a message goes to Planfix."""

    text: str
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a message's files, quotes and writers are asked for in Telegram."""

    downloads: Downloads
    history: History
    profiles: Profiles
    until_online: Callable[[], Awaitable[None]]


class MessageAssembler:
    """Fetches from Telegram what a message needs to be complete."""

    def __init__(self, sources: Sources, spool: Path, words: ChatTexts, outbox: Outbox) -> None:
        self._downloads = sources.downloads
        self._history = sources.history
        self._profiles = sources.profiles
        self._until_online = sources.until_online
        self._spool = spool
        self._words = words
        self._outbox = outbox

    async def assemble(self, order: Deliver) -> AssembledMessage:
        """Make the parcel; what can't be fetched for good is told by a line in it."""
        incoming = order.incoming
        files: list[tuple[str, str]] = []
        lines = [await self._quote(incoming.reply_to), incoming.text]
        for index, (file, link) in enumerate(zip(incoming.files, order.links, strict=True)):
            complaint = await self._fetch(order.row, index, file)
            if complaint:
                lines.append(complaint)
            else:
                files.append((file.name, link))
        return AssembledMessage("\n".join(line for line in lines if line), tuple(files))

    async def has_photo(self, order: Deliver) -> bool:
        """Fetch the contact's photo; a message does not wait for it if there is trouble."""
        contact = order.incoming.contact
        if contact.photo_id is None or order.photo_link is None:
            return False
        path = photo_file(self._spool, contact.photo_id)
        try:
            async with asyncio.timeout(PHOTO_LIMIT):
                await self._downloads.fetch_photo(contact.peer_id, contact.photo_id, path)
        except (FileGone, FileTooLarge, TelegramError, TimeoutError) as error:
            log.info("no photo of %s: %s", contact.peer_id, error)
            return False
        return True

    async def bio(self, order: Deliver) -> str:
        """Fetch what the contact says about itself; empty if that can't be had at once."""
        return await self._profiles.bio(order.incoming.peer_id)

    async def _quote(self, reply_to: int | None) -> str:
        if reply_to is None:
            return ""
        try:
            line = await self._patiently(lambda: self._history.snippet(reply_to))
        except TelegramError as error:
            log.info("the message replied to is not found: %s", error)
            return ""
        return quoted(line) if line else ""

    async def _fetch(self, row: int, index: int, file: IncomingFile) -> str:
        """Fetch a file; says why not when it can't be fetched."""
        path = incoming_file(self._spool, row, index)
        try:
            await self._until_fetched(row, file, path)
        except FileTooLarge:
            limit = size_text(self._downloads.limit)
            return self._words.too_large.format(
                name=file.name, size=size_text(file.size), limit=limit
            )
        except (FileGone, TelegramError) as error:
            log.warning("file %s of message %s is lost: %s", index, file.message_id, error)
            return self._words.gone_file.format(name=file.name)
        return ""

    async def _until_fetched(self, row: int, file: IncomingFile, path: Path) -> None:
        """Try until the file is there; a try in vain is told, so that it can be seen."""
        patience, fetched, left = Patience(), 0, LONGEST_DOWNLOAD
        while True:
            await self._until_online()
            began = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    await self._downloads.fetch(file.message_id, path)
            except TimeoutError as late:
                raise FileGone(f"not fetched within {LONGEST_DOWNLOAD:g} s") from late
            except (TelegramError, OSError) as failed:
                # The disk may be full, which passes like trouble of Telegram's own.
                error = _told(failed)
                left -= time.monotonic() - began
                if (had := await self._downloads.fetched(path)) > fetched:
                    patience, fetched = Patience(), had
                pause = patience.pause_after(error)
                self._tell(row, f"{file.name}: {error}", time.time() + pause)
                await asyncio.sleep(pause)
            else:
                return

    def _tell(self, row: int, detail: str, next_try: float) -> None:
        code = FailureCode.FILE_UNREACHABLE
        failure = Failure(code=code, detail=detail, next_try=next_try)
        # Not told as Trying: whoever dies over that leaves it open whether Planfix has the message.
        self._outbox.put(Failed(row=row, failure=failure, was_untold=True))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask again after whatever may pass; never for ever, since the chat waits for it."""
        patience = Patience()
        while True:
            await self._until_online()
            try:
                return await ask()
            except TelegramError as error:
                await asyncio.sleep(patience.pause_after(error))


def _told(failed: TelegramError | OSError) -> TelegramError:
    return failed if isinstance(failed, TelegramError) else TemporarilyFailed(str(failed))


class Patience:
    """How often something was asked for in vain; trouble of the line is another kind."""

    def __init__(self) -> None:
        self._tries: Counter[bool] = Counter()

    def pause_after(self, error: TelegramError) -> float:
        """Tell how long to wait after this error; raises it when there is no use in asking on."""
        is_cut = isinstance(error, Unreachable)
        self._tries[is_cut] += 1
        most = MOST_CUTS if is_cut else MOST_TRIES
        if isinstance(error, Refused) or self._tries[is_cut] >= most:
            raise error
        wanted = error.seconds if isinstance(error, FloodWait) else None
        return BACKOFF.pause(self._tries[is_cut], wanted)


def size_text(size: int) -> str:
    """Write a size for people."""
    if size < MEGABYTE:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / MEGABYTE:.1f} MB".replace(".0 ", " ")
