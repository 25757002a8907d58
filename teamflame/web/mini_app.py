"""Serves the built Mini App with its security headers."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from quart import Blueprint, Response, request

from teamflame.web.admission import teamflame
from teamflame.web.errors import CallInvalid, register_errors

BUILT: Final = Path(__file__).parents[1] / "mini_app" / "dist"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
NONCE: Final = b"__NONCE__"
# Telegram's own web client shows Mini Apps in a frame; the other clients use none.
TELEGRAM_WEB: Final = ("https://web.telegram.org", "https://*.web.telegram.org")
_FOREVER: Final = "public, max-age=31536000, immutable"

blueprint = Blueprint("teamflame_mini_app", __name__, url_prefix="/teamflame/app")
register_errors(blueprint)


@blueprint.get("/")
async def get_app() -> Response:
    """Serve the page, whose scripts and styles can come from nowhere else."""
    frames = teamflame().config.frame_origins
    page = (await asyncio.to_thread(files)).get("index.html")
    if page is None:
        raise CallInvalid("the Mini App has not been built", 404, "not_found")
    nonce = secrets.token_urlsafe(16)
    headers = {"Content-Security-Policy": policy(nonce, frames), "Cache-Control": "no-store"}
    body = page.plain.replace(NONCE, nonce.encode())
    return Response(body, headers=headers, content_type=TYPES[".html"])


@blueprint.get("/assets/<name>")
async def get_asset(name: str) -> Response:
    """Serve a script or a style, whose name changes with its content."""
    teamflame()
    found = (await asyncio.to_thread(files)).get(f"assets/{name}")
    if found is None:
        raise CallInvalid("this file does not exist", 404, "not_found")
    headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
    kind = TYPES[Path(name).suffix]
    if request.accept_encodings["gzip"] > 0:
        headers["Content-Encoding"] = "gzip"
        return Response(found.compressed, headers=headers, content_type=kind)
    return Response(found.plain, headers=headers, content_type=kind)


class BuiltFile(NamedTuple):
    """A file of the Mini App, as it is and compressed."""

    plain: bytes
    compressed: bytes


@cache
def files(folder: Path = BUILT) -> dict[str, BuiltFile]:
    """Read and compress the built files, which are few and small, once."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in TYPES)
    contents = ((path, path.read_bytes()) for path in found)
    return {
        path.relative_to(folder).as_posix(): BuiltFile(plain, gzip.compress(plain, mtime=0))
        for path, plain in contents
    }


def policy(nonce: str, frames: tuple[str, ...]) -> str:
    """Allow own files only; the nonce is for the style element that dragging needs."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(("frame-ancestors", "'self'", *TELEGRAM_WEB, *frames)),
        )
    )
