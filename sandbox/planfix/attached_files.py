"""The files that employees attach, each under a link that nobody can guess."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass
from urllib.parse import quote

TYPES = mimetypes.MimeTypes()  # made here, because it reads the system's files


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on offer."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        guess, encoding = TYPES.guess_type(self.name)
        return guess if guess and encoding is None else "application/octet-stream"


class Shelf:
    """Keeps the files of one account in memory."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._files: dict[str, StoredFile] = {}

    def put(self, file: StoredFile) -> str:
        """Offer a file; the link is its only protection, as in Planfix."""
        key = secrets.token_urlsafe(24)
        self._files[key] = file
        return f"{self._url}/{key}/{quote(file.name, safe='')}"

    def get(self, key: str) -> StoredFile | None:
        return self._files.get(key)
