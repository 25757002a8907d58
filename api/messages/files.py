"""Serves files under signed links, whole or in part."""

from __future__ import annotations

import asyncio
import os
import re
from collections import defaultdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from quart import Blueprint, Response, current_app, request
from quart.wrappers.response import ResponseBody
from quart_schema import hide
from werkzeug.http import parse_range_header

from api.context import context
from api.requests.errors import ApiError, not_found
from api.security.request_guard import at_end
from supervisor.errors import FileGone, LinkInvalid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.messages.file_links import OpenFile

blueprint = Blueprint("files", __name__, url_prefix="/files")

_NAME_START, _NAME_END = 160, 40  # characters that are kept of a name that is too long
_LONGEST_NAME = _NAME_START + _NAME_END
# A stranger chose the type. Whatever a browser might run as a page of ours, or that is not a
# well-formed type, is served as plain bytes. `+` is excluded because `+xml` is a page too.
_HARMLESS = re.compile(
    r"image/(?:png|jpeg|gif|webp)|(?:video|audio)/[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?"
)
_BYTES = "application/octet-stream"
_PIECE = 64 << 10  # bytes


@blueprint.get("/<token>/<name>")
@hide
async def get_file(token: str, name: str) -> Response:  # noqa: ARG001 - the name is for people
    """Serve the file of a signed link, or the requested part of it."""
    try:
        file = await context().gateway.files.find(token)
        await current_app.config["DOWNLOADS"].acquire_place(file.number)
        opened = await open_for_call(file)
    except (LinkInvalid, FileGone) as exc:
        raise not_found("the file does not exist, or its link has expired") from exc
    now = os.fstat(opened)
    _normalise_range(now.st_size)
    response = Response(Content(opened, now.st_size), mimetype=safe_type(file.mime))
    response.content_length = now.st_size
    response.last_modified = datetime.fromtimestamp(now.st_mtime, UTC)
    response.set_etag(f"{now.st_mtime_ns:x}-{now.st_size:x}")
    await response.make_conditional(request, accept_ranges=True, complete_length=now.st_size)
    response.headers["Content-Disposition"] = disposition(file.name)
    response.timeout = time_for(now.st_size)
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if request.method == "HEAD":
        _leave_out_body(response)
    return response


async def open_for_call(file: OpenFile) -> int:
    """Open the file until this call ends, even if that is while a thread is still opening it."""
    opening = asyncio.ensure_future(asyncio.to_thread(file.open))
    at_end(partial(opening.add_done_callback, _close))
    return await asyncio.shield(opening)


def _close(opening: asyncio.Future[int]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


class Content(ResponseBody):
    """The bytes of a file that the call has opened and will close, as the framework sends them.

    The framework's own body opens the file once more, and a caller who is cut off twice leaves it open.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self.begin, self.end = 0, size  # the framework's names; it writes them into Content-Range

    async def __aenter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    async def __aexit__(self, *_: object) -> None:
        pass

    async def make_conditional(self, begin: int, end: int | None) -> int:
        self.begin, self.end = begin, self._size if end is None else end
        return self._size

    async def _pieces(self) -> AsyncIterator[bytes]:
        place = self.begin
        while count := min(_PIECE, self.end - place):
            piece = await asyncio.to_thread(os.pread, self._descriptor, count, place)
            if not piece:
                break  # the file has become shorter meanwhile
            place += len(piece)
            yield piece


def _leave_out_body(response: Response) -> None:
    """Keep the headers about the body; the framework would read the whole file and send none of it."""
    length = response.content_length  # none if the caller has the file already (304)
    response.set_data(b"")
    response.content_length = length


def _normalise_range(size: int) -> None:
    """Rewrite the requested range in the only form that the framework understands, or remove it."""
    try:
        part = find_part(request.headers.pop("Range", None), size)
    except RangeBeyondEnd as exc:
        headers = {"Content-Range": f"bytes */{size}"}
        reason = f"the file has {size} bytes"
        raise ApiError(416, "range_not_satisfiable", reason, headers=headers) from exc
    if part is not None:
        request.headers["Range"] = f"bytes={part[0]}-{part[1] - 1}"


def disposition(name: str) -> str:
    """Write a file name in RFC 6266's form; nothing in it can end the header or hide a part of it."""
    name = name if len(name) <= _LONGEST_NAME else name[:_NAME_START] + name[-_NAME_END:]
    name = "".join(char if char.isprintable() else "_" for char in name)
    in_ascii = re.sub(r"[^\w .()-]", "_", name, flags=re.ASCII)
    return f"attachment; filename=\"{in_ascii}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_type(mime: str) -> str:
    return mime if _HARMLESS.fullmatch(mime) else _BYTES


_LONGEST = 60  # characters; more than any real range has


class RangeBeyondEnd(Exception):
    """The file ends before the requested part begins."""


def find_part(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the end of the requested part; None means the whole file."""
    wanted = parse_range_header(header) if header and len(header) <= _LONGEST else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1 or not size:
        return None
    first, end = wanted.ranges[0]
    if first < 0:
        return max(0, size + first), size
    if first >= size:
        raise RangeBeyondEnd
    return first, min(end or size, size)


MOST = 128  # downloads at the same time
MOST_OF_ONE = 32  # of one number; Planfix fetches all files of an album at once
WAIT = 10.0  # seconds to wait for a free place
GRACE = 60.0  # seconds that every download may take
SLOWEST = 32 << 10  # bytes per second, on average
LONGEST = 3600.0  # seconds


class Downloads:
    """Assigns places; a call keeps its place until it ends."""

    def __init__(self, most: int = MOST, of_one: int = MOST_OF_ONE, wait: float = WAIT) -> None:
        self._all = asyncio.Semaphore(most)
        self._of = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, of_one))
        self._wait = wait

    async def acquire_place(self, number: str) -> None:
        """Take a place until this call ends; raise ApiError if none becomes free in time."""
        try:
            async with asyncio.timeout(self._wait):
                # The number's own places first, so that a call waiting for them occupies no shared place.
                for places in (self._of[number], self._all):
                    await places.acquire()
                    at_end(places.release)
        except TimeoutError as exc:
            headers = {"Retry-After": str(int(self._wait) or 1)}
            reason = "too many downloads at the same time"
            raise ApiError(503, "too_many_downloads", reason, headers=headers) from exc


def time_for(size: int) -> float:
    """Return how many seconds a download of this size may take."""
    return min(LONGEST, GRACE + size / SLOWEST)
