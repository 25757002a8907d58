"""Signed links to the files of messages, which expire."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from supervisor.errors import LinkExpired, LinkInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence


_LONGEST = 200  # characters of a token
_MESSAGE_FILE = re.compile(r"([0-9]{5,15})\.([0-9]{1,18})\.([0-9]{1,5})\.([0-9]{1,12})")
_PHOTO = re.compile(r"([0-9]{5,15})\.p(-?[0-9]{1,20})\.([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of a message: the row of the message, and the position of the file in it."""

    number: str
    row: int
    index: int


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
        return self._make(f"{file.number}.{file.row}.{file.index}", name, now)

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
        number, row, index, expiry = found.groups()
        return MessageFile(number, int(row), int(index)), int(expiry)
    if found := _PHOTO.fullmatch(signed):
        number, photo_id, expiry = found.groups()
        return Photo(number, int(photo_id)), int(expiry)
    raise LinkInvalid


def _without_slashes(name: str) -> str:
    """Make the name a single step of a path; `.` and `..` are not."""
    one_step = name.encode("utf-8", "replace").decode().replace("/", "_")
    return one_step if one_step.strip(".") else "file"
