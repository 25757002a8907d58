"""Completes a message for Planfix: fetches its files and the message it replies to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.failures import is_of_storage
from session_worker.protocol.files import incoming_file, photo_file
from session_worker.protocol.messages import Failed, Failure, FailureCode
from session_worker.telegram.errors import (
    FloodWait,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
)
from session_worker.telegram.reading.downloads import FileGone, FileTooLarge
from session_worker.telegram.reading.plain_text import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import TypeVar

    from session_worker.protocol.messages import Deliver, IncomingFile
    from session_worker.session import Outbox
    from session_worker.telegram.reading.downloads import Downloads
    from session_worker.telegram.reading.message_memory import MessageLookup
    from session_worker.telegram.reading.people import Profiles
    from session_worker.texts.chat_texts import ChatTexts

    T = TypeVar("T")

logger = logging.getLogger(__name__)

MOST_TRIES = 8  # tries of a request to which Telegram answers with an error of its own
MOST_CUTS = 30  # lost connections, while no part of the file arrives
LONGEST_DOWNLOAD = 3600.0  # seconds for all tries; the chat waits that long
PHOTO_LIMIT = 10.0  # seconds
LONGEST_PAUSE = 60.0  # seconds; a message goes without its quote if Telegram wants a longer one
BACKOFF = Backoff(longest=60.0)
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AssembledMessage:
    """The parts of a message that are sent to Planfix."""

    text: str
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the files, the quotes and the authors of messages are fetched from."""

    downloads: Downloads
    lookup: MessageLookup
    profiles: Profiles
    until_online: Callable[[], Awaitable[None]]


class MessageAssembler:
    """Fetches from Telegram what a message needs to be complete."""

    def __init__(self, sources: Sources, spool: Path, texts: ChatTexts, outbox: Outbox) -> None:
        self._downloads = sources.downloads
        self._lookup = sources.lookup
        self._profiles = sources.profiles
        self._until_online = sources.until_online
        self._spool = spool
        self._texts = texts
        self._outbox = outbox

    async def assemble(self, command: Deliver) -> AssembledMessage:
        """Assemble the message; a line of text stands for each file that cannot be fetched."""
        incoming = command.incoming
        files: list[tuple[str, str]] = []
        lines = [await self._quote(incoming.reply_to), incoming.text]
        for index, (file, link) in enumerate(zip(incoming.files, command.links, strict=True)):
            path = incoming_file(self._spool, command.row, incoming, index)
            complaint = await self._fetch(command.row, file, path)
            if complaint:
                lines.append(complaint)
            else:
                files.append((file.name, link))
        return AssembledMessage("\n".join(line for line in lines if line), tuple(files))

    async def has_photo(self, command: Deliver) -> bool:
        """Fetch the contact's photo; a message does not wait for it if that fails."""
        contact = command.incoming.contact
        if contact.photo_id is None or command.photo_link is None:
            return False
        path = photo_file(self._spool, contact.photo_id)
        try:
            async with asyncio.timeout(PHOTO_LIMIT):
                await self._downloads.fetch_photo(contact.peer_id, contact.photo_id, path)
        except (FileGone, FileTooLarge, TelegramError, OSError) as error:
            logger.info("the photo of %s could not be fetched: %s", contact.peer_id, error)
            return False
        return True

    async def bio(self, command: Deliver) -> str:
        """Return the contact's bio, or nothing if it cannot be had at once."""
        return await self._profiles.bio(command.incoming.peer_id)

    async def _quote(self, reply_to: int | None) -> str:
        if reply_to is None:
            return ""
        try:
            line = await self._until_answered(lambda: self._lookup.snippet(reply_to))
        except TelegramError as error:
            logger.info("the message that is replied to was not found: %s", error)
            return ""
        return quoted(line) if line else ""

    async def _fetch(self, row: int, file: IncomingFile, path: Path) -> str:
        """Fetch a file and return an empty text, or return a text that says why this failed."""
        try:
            await self._until_fetched(row, file, path)
        except FileTooLarge:
            limit = size_text(self._downloads.limit)
            return self._texts.too_large.format(
                name=file.name, size=size_text(file.size), limit=limit
            )
        except (FileGone, TelegramError) as error:
            logger.warning(
                "file %s of message %s cannot be fetched: %s", path.name, file.message_id, error
            )
            return self._texts.gone_file.format(name=file.name)
        return ""

    async def _until_fetched(self, row: int, file: IncomingFile, path: Path) -> None:
        """Try until the file is there; each failed try is reported, so that people can see it."""
        retries, fetched, left = Retries(), 0, LONGEST_DOWNLOAD
        while True:
            await self._until_online()
            began = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    await self._downloads.fetch(file.message_id, path)
            except TimeoutError as late:
                raise FileGone(f"not fetched within {LONGEST_DOWNLOAD:g} s") from late
            except (TelegramError, OSError) as error:
                left -= time.monotonic() - began
                if (had := await self._downloads.fetched(path)) > fetched:
                    retries, fetched = Retries(), had
                pause = retries.pause_after(error)
                self._report_failed_try(row, f"{file.name}: {error}", time.time() + pause)
                await asyncio.sleep(pause)
            else:
                return

    def _report_failed_try(self, row: int, detail: str, next_try: float) -> None:
        code = FailureCode.FILE_UNREACHABLE
        failure = Failure(code=code, detail=detail, next_try=next_try)
        # This is not reported as Trying: if the process then died, it would be unknown whether
        # Planfix has the message.
        self._outbox.put(Failed(row=row, failure=failure, was_untold=True))

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat the request after failures that may pass, but not for ever: the chat waits for it."""
        retries = Retries()
        while True:
            await self._until_online()
            try:
                return await ask()
            except TelegramError as error:
                pause = retries.pause_after(error)
                if pause > LONGEST_PAUSE:
                    raise
                await asyncio.sleep(pause)


class Retries:
    """Counts failed tries; those of a lost connection and those of our own disk are counted apart."""

    def __init__(self) -> None:
        self._tries: Counter[bool] = Counter()
        self._of_storage = 0

    def pause_after(self, error: TelegramError | OSError) -> float:
        """Return the pause after this error, or raise the error if another try is useless."""
        if is_of_storage(error):  # nothing is wrong with the file, so it is not given up
            self._of_storage += 1
            return BACKOFF.pause(self._of_storage)
        if isinstance(error, OSError):
            error = TemporarilyFailed(str(error))
        is_cut = isinstance(error, Unreachable)
        self._tries[is_cut] += 1
        most = MOST_CUTS if is_cut else MOST_TRIES
        if isinstance(error, Refused) or self._tries[is_cut] >= most:
            raise error
        wanted = error.seconds if isinstance(error, FloodWait) else None
        return BACKOFF.pause(self._tries[is_cut], wanted)


def size_text(size: int) -> str:
    """Write a size as people read it."""
    if size < MEGABYTE:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / MEGABYTE:.1f} MB".replace(".0 ", " ")
