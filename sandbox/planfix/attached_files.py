"""The files of an account, each under a link that nobody can guess."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass
from urllib.parse import quote

TYPES = mimetypes.MimeTypes()  # created here, because it reads the system's files


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that can be fetched."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        guess, encoding = TYPES.guess_type(self.name)
        return guess if guess and encoding is None else "application/octet-stream"


class FileStore:
    """Keeps files in memory; beyond `most` bytes the oldest are given up."""

    def __init__(self, url: str, most: int | None = None) -> None:
        self._url = url
        self._most = most
        self._size = 0
        self._files: dict[str, StoredFile] = {}

    def put(self, file: StoredFile) -> str:
        """Offer a file; the link is its only protection, as in Planfix."""
        key = secrets.token_urlsafe(24)
        self._files[key] = file
        self._size += len(file.content)
        while self._most is not None and self._size > self._most:
            oldest = self._files.pop(next(iter(self._files)))
            self._size -= len(oldest.content)
        return f"{self._url}/{key}/{quote(file.name, safe='')}"

    def get(self, key: str) -> StoredFile | None:
        return self._files.get(key)
