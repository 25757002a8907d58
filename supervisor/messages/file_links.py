"""Signed links to the files of messages, which expire, and the files that they lead to."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import re
import shutil
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from session_worker.protocol.files import incoming_file, mark_of, photo_file, row_of, unmarked_file
from session_worker.protocol.messages import Incoming
from supervisor.errors import FileGone, LinkExpired, LinkInvalid, NumberUnknown
from supervisor.file_access import OutsideRoot, open_inside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.messages.message_service import Dispatchers
    from supervisor.nodes.node import Node

PHOTO = "photo.jpg"

logger = logging.getLogger(__name__)

_LONGEST = 200  # characters of a token
_MESSAGE_FILE = re.compile(
    r"([0-9]{5,15})\.([0-9]{1,18})\.([0-9]{1,5})(?:\.(-?[0-9]{1,20}-[0-9]{1,20}))?\.([0-9]{1,12})"
)
_PHOTO = re.compile(r"([0-9]{5,15})\.p(-?[0-9]{1,20})\.([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of a message: the row of the message, and the position of the file in it."""

    number: str
    row: int
    index: int
    mark: str = ""
    """See `mark_of`; links of version 0.1.0 have none."""


@dataclass(frozen=True, slots=True)
class Photo:
    """The profile photo of a contact."""

    number: str
    photo_id: int


class FileLinks:
    """Makes links that nobody can guess or change, and checks the links that are opened."""

    def __init__(self, keys: Sequence[bytes], public_url: str, lifetime: float) -> None:
        """Sign with the first key, and verify with any of them."""
        self._keys = tuple(keys)
        self._root = f"{public_url}/files"
        self._lifetime = lifetime

    def of_file(self, file: MessageFile, name: str, now: float) -> str:
        mark = f".{file.mark}" if file.mark else ""
        return self._make(f"{file.number}.{file.row}.{file.index}{mark}", name, now)

    def of_photo(self, photo: Photo, name: str, now: float) -> str:
        return self._make(f"{photo.number}.p{photo.photo_id}", name, now)

    def check(self, token: str, now: float) -> MessageFile | Photo:
        """Return what the link points to; raise `LinkInvalid` or `LinkExpired`."""
        place, expiry = _read(self._unsign(token))
        if expiry <= now:
            raise LinkExpired
        return place

    def _make(self, place: str, name: str, now: float) -> str:
        signed = f"{place}.{int(now + self._lifetime)}"
        token = f"{signed}.{_sign(self._keys[0], signed)}"
        return f"{self._root}/{token}/{quote(_without_slashes(name), safe='')}"

    def _unsign(self, token: str) -> str:
        if len(token) > _LONGEST or not token.isascii():
            raise LinkInvalid
        signed, _, signature = token.rpartition(".")
        for key in self._keys:
            if hmac.compare_digest(_sign(key, signed), signature):
                return signed
        raise LinkInvalid


def _sign(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _read(signed: str) -> tuple[MessageFile | Photo, int]:
    if found := _MESSAGE_FILE.fullmatch(signed):
        number, row, index, mark, expiry = found.groups()
        return MessageFile(number, int(row), int(index), mark or ""), int(expiry)
    if found := _PHOTO.fullmatch(signed):
        number, photo_id, expiry = found.groups()
        return Photo(number, int(photo_id)), int(expiry)
    raise LinkInvalid


def _without_slashes(name: str) -> str:
    """Make the name a single step of a path; `.` and `..` are not."""
    one_step = name.encode("utf-8", "replace").decode().replace("/", "_")
    return one_step if one_step.strip(".") else "file"


def remove_newer_rows(spool: Path, newest: int) -> None:
    """Remove the files, fetched from Telegram or for it, of rows that are newer than this one."""
    # A hostile worker controls these folders, so no link in them is followed.
    folders = [each for each in (spool / "in", spool / "out") if not each.is_symlink()]
    rows = [row for folder in folders if folder.is_dir() for row in folder.iterdir()]
    strays = [row for row in rows if row_of(row) > newest]
    for stray in strays:
        shutil.rmtree(stray, ignore_errors=True)  # it refuses links
    if strays:
        logger.warning("%s: files of %d other messages were removed", spool, len(strays))


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


class LinkedFiles:
    """The files of all numbers, for everybody who has a link."""

    def __init__(self, dispatchers: Dispatchers, config: Config, node: Node | None) -> None:
        self._dispatchers = dispatchers
        self._config = config
        self._node = node

    async def find(self, token: str) -> OpenFile:
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
        return await self._find_shared(place.number, found)

    async def _find_shared(self, number: str, file: OpenFile) -> OpenFile:
        """Fetch the file from the database; if it is not there yet, the number's node has it."""
        if self._node is None or file.folder is None:
            raise FileGone
        path = file.path.relative_to(file.folder)
        try:
            folder = await self._dispatchers.files.fetch(number, str(path))
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
        if file.mark not in {"", mark_of(body, file.index)}:
            raise FileGone  # another message has the row since a backup was restored
        described = body.files[file.index]
        path = incoming_file(folder, file.row, body, file.index)
        if not file.mark:
            unmarked = unmarked_file(folder, file.row, file.index)
            path = unmarked if await asyncio.to_thread(unmarked.is_file) else path
        return OpenFile(path, described.name, described.mime, file.number, folder)
