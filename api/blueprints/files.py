"""The files of messages, for whoever was given a link."""

from __future__ import annotations

from quart import Blueprint, Response, send_file
from quart_schema import hide

from api.context import context
from api.errors import not_found
from supervisor.errors import FileGone, LinkInvalid

blueprint = Blueprint("files", __name__, url_prefix="/files")

# What a browser would run as a page of ours is served as bytes alone.
_HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "video/", "audio/")
_BYTES = "application/octet-stream"


@blueprint.get("/<token>/<name>")
@hide
async def get_file(token: str, name: str) -> Response:  # noqa: ARG001 - people read the name
    """Serve a file under a link of ours, in ranges if asked to."""
    try:
        file = await context().gateway.open_file(token)
    except (LinkInvalid, FileGone) as exc:
        raise not_found("there is no such file, or its link has expired") from exc
    response = await send_file(
        file.path,
        mimetype=safe_type(file.mime),
        as_attachment=True,
        attachment_filename=file.name,
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def safe_type(mime: str) -> str:
    return mime if mime.startswith(_HARMLESS) else _BYTES
