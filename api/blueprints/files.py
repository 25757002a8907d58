"""The files of messages, for whoever was given a link."""

from __future__ import annotations

import asyncio

from quart import Blueprint, Response, request, send_file
from quart_schema import hide

from api.byte_range import RangeBeyondEnd, find_part
from api.context import context
from api.errors import ApiError, not_found
from supervisor.errors import FileGone, LinkInvalid

blueprint = Blueprint("files", __name__, url_prefix="/files")

LONGEST_DOWNLOAD = 3600  # seconds; a big file takes its time over a slow line
# What a browser would run as a page of ours is served as bytes alone.
_HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "video/", "audio/")
_BYTES = "application/octet-stream"


@blueprint.get("/<token>/<name>")
@hide
async def get_file(token: str, name: str) -> Response:  # noqa: ARG001 - people read the name
    """Serve a file under a link of ours, or the part of it that is asked for."""
    try:
        file = await context().gateway.open_file(token)
        size = (await asyncio.to_thread(file.path.stat)).st_size
    except (LinkInvalid, FileGone, FileNotFoundError) as exc:
        raise not_found("there is no such file, or its link has expired") from exc
    _put_range_plainly(size)
    response = await send_file(
        file.path,
        mimetype=safe_type(file.mime),
        as_attachment=True,
        attachment_filename=one_line(file.name),
        conditional=True,
    )
    response.timeout = LONGEST_DOWNLOAD
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _put_range_plainly(size: int) -> None:
    """Leave the framework a range of the one kind that it understands, or none."""
    try:
        part = find_part(request.headers.pop("Range", None), size)
    except RangeBeyondEnd as exc:
        headers = {"Content-Range": f"bytes */{size}"}
        reason = f"the file has {size} bytes"
        raise ApiError(416, "range_not_satisfiable", reason, headers=headers) from exc
    if part is not None:
        request.headers["Range"] = f"bytes={part[0]}-{part[1] - 1}"


def one_line(name: str) -> str:
    """Take out of a stranger's file name what ends a header's line, or hides a part of it."""
    return "".join(char if char.isprintable() else "_" for char in name)


def safe_type(mime: str) -> str:
    return mime if mime.startswith(_HARMLESS) else _BYTES
