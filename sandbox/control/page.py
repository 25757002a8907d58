"""The web page that shows messages in both directions."""

from __future__ import annotations

from pathlib import Path

from quart import Blueprint, Response, abort

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = {file.name: file.read_bytes() for file in FOLDER.iterdir() if file.suffix in TYPES}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-src http: https:; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
async def get_page() -> Response:
    return answer_file("sandbox.html")


@blueprint.get("/static/<name>")
async def get_file(name: str) -> Response:
    return answer_file(name)


def answer_file(name: str) -> Response:
    if name not in FILES:
        abort(404)
    return Response(FILES[name], 200, HEADERS, content_type=TYPES[Path(name).suffix])
