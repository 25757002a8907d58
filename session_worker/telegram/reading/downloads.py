"""Fetches files from Telegram piece by piece into a path."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.telegram.errors import FloodWait, Moved, Refused, TemporarilyFailed
from session_worker.telegram.reading.files import file_object, place_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from session_worker.telegram.reading.files import Place
    from session_worker.telegram.reading.message_memory import MessageLookup
    from session_worker.telegram.reading.people import Ask

    AskAt = Callable[[int, Any], Awaitable[Any]]
    Find = Callable[[], Awaitable[Any]]

logger = logging.getLogger(__name__)

PIECE = 256 * 1024  # bytes; Telegram requires a power of two that divides a megabyte
FRESH_REFERENCES = 3  # how often a file reference may expire during one download
AT_A_TIME = 4  # pieces fetched at the same time from one data centre
MOST_DETOURS = 10  # per piece: redirects to other data centres, or pauses that Telegram asks for
LONGEST_PAUSE = 60.0  # seconds; a longer wait makes the try fail
STALE = ("FILE_REFERENCE_", "FILEREF_")


class FileGone(Exception):
    """The file cannot be fetched, however often this is tried."""


class FileTooLarge(Exception):
    """The file is larger than allowed."""


class Downloads:
    """Fetches files; what was fetched before a crash is not fetched again."""

    def __init__(self, ask: Ask, ask_at: AskAt, lookup: MessageLookup, limit: int) -> None:
        self._ask = ask
        self._ask_at = ask_at
        self._lookup = lookup
        self._slots: defaultdict[int, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(AT_A_TIME)
        )
        self.limit = limit

    async def fetched(self, path: Path) -> int:
        """Return how many bytes of a file have been fetched so far."""
        return await asyncio.to_thread(_whole_pieces, _part_of(path))

    async def fetch(self, message_id: int, path: Path) -> None:
        """Fetch the file of a message; raises FileGone, FileTooLarge or a TelegramError."""

        async def find() -> Any:
            message = await self._lookup.message(message_id)
            return file_object(getattr(message, "media", None))

        await self._fetch(find, path)

    async def fetch_photo(self, user_id: int, photo_id: int, path: Path) -> None:
        """Fetch a user's profile photo; raises the same errors as `fetch`."""

        async def find() -> Any:
            request = functions.photos.GetUserPhotosRequest(user_id, offset=0, max_id=0, limit=10)
            photos = (await self._ask(request)).photos
            return next((photo for photo in photos if photo.id == photo_id), None)

        await self._fetch(find, path)

    async def _fetch(self, find: Find, path: Path) -> None:
        if await asyncio.to_thread(path.exists):
            return
        part = _part_of(path)
        place = await self._find(find)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        for _ in range(FRESH_REFERENCES):
            try:
                await self._append_rest(place, part)
                break
            except Refused as error:
                if not error.text.startswith(STALE):
                    raise FileGone(error.text) from error
                place = await self._find(find)
        else:
            raise FileGone("its reference expires at once")
        await asyncio.to_thread(part.replace, path)

    async def _find(self, find: Find) -> Place:
        try:
            file = await find()
        except Refused as error:
            raise FileGone(error.text) from error
        if file is None:
            raise FileGone("its message no longer exists")
        place = place_of(file)
        if place.size > self.limit:
            raise FileTooLarge
        return place

    async def _append_rest(self, place: Place, part: Path) -> None:
        offset = await asyncio.to_thread(_whole_pieces, part)
        dc_id = place.dc_id
        while True:
            dc_id, content = await self._piece(place, dc_id, offset)
            await asyncio.to_thread(_write, part, offset, content)
            offset += len(content)
            if offset > self.limit:
                raise FileTooLarge
            if len(content) < PIECE:
                return

    async def _piece(self, place: Place, dc_id: int, offset: int) -> tuple[int, bytes]:
        """Fetch a piece, and return it with the data centre that had it."""
        request = functions.upload.GetFileRequest(place.location, offset, PIECE)
        for _ in range(MOST_DETOURS):
            try:
                # A slot is taken for a piece and not for a file, so that a file that hangs blocks
                # no other.
                async with self._slots[dc_id]:
                    answer = await self._ask_at(dc_id, request)
            except Moved as moved:
                dc_id = moved.dc_id
                continue
            except FloodWait as wait:
                await asyncio.sleep(wait.within(LONGEST_PAUSE))
                continue
            if not isinstance(answer, types.upload.File):
                raise FileGone("only a content delivery network provides it")
            return dc_id, answer.bytes
        raise TemporarilyFailed("redirected to another data centre, or asked to wait, too often")


def _part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _whole_pieces(part: Path) -> int:
    """Return how many bytes of an earlier try need not be fetched again."""
    size = part.stat().st_size if part.exists() else 0
    return size // PIECE * PIECE


def _write(part: Path, offset: int, content: bytes) -> None:
    with part.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.truncate()
        file.write(content)
