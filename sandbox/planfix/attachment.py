"""Fetching the files of a message from its links, as Planfix does."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from sandbox.planfix.command import Link

MAX_BYTES = 100 * 1024 * 1024
KEPT_BYTES = 4 * 1024 * 1024  # of one file, so that the page can show it


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that Planfix received; if it did not, `error` says why."""

    name: str
    size: int | None
    sha256: str | None
    error: str | None = None
    # Where the page finds it; only files that are not too large are kept.
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched from a link: a description, and the bytes unless there are too many."""

    attachment: Attachment
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on time and size for one file."""

    size: int = MAX_BYTES
    seconds: float = 60.0


class NotFetched(Exception):
    """A link from which no file could be fetched."""


async def fetch(http: httpx.AsyncClient, link: Link, limits: Limits | None = None) -> Fetched:
    """Fetch one file at once; a link that fails leaves the file's name and the reason, but no bytes."""
    limits = limits or Limits()
    try:
        async with asyncio.timeout(limits.seconds):
            return await _download(http, link, limits.size)
    except TimeoutError:
        reason = f"not there after {limits.seconds:g} seconds"
    except (NotFetched, httpx.HTTPError, httpx.InvalidURL) as exc:
        reason = f"{type(exc).__name__}: {exc}"
    return Fetched(Attachment(link.name, None, None, reason))


async def _download(http: httpx.AsyncClient, link: Link, most: int) -> Fetched:
    digest, size, kept = hashlib.sha256(), 0, bytearray()
    async with http.stream("GET", link.url, follow_redirects=True) as response:
        if response.status_code != httpx.codes.OK:
            raise NotFetched(f"answered {response.status_code}")
        async for chunk in response.aiter_bytes():
            digest.update(chunk)
            size += len(chunk)
            if size > most:
                raise NotFetched(f"larger than {most} bytes")
            if size <= KEPT_BYTES:
                kept += chunk
    attachment = Attachment(link.name, size, digest.hexdigest())
    return Fetched(attachment, bytes(kept) if size <= KEPT_BYTES else None)
