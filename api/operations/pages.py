"""The operator's console and the documentation of the API."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, current_app, render_template, request
from quart_schema import hide

from api.texts import CONSOLE, page_language

blueprint = Blueprint("pages", __name__)


@blueprint.get("/docs")
@hide
async def get_docs() -> str:
    schema = current_app.extensions["QUART_SCHEMA"].openapi_provider.schema()
    return await render_template("docs.html", api=schema, groups=_by_tag(schema["paths"]))


def _by_tag(paths: dict[str, Any]) -> dict[str, list[tuple[str, str, Any]]]:
    """Return every call with its method and path, those that belong together in one list."""
    groups: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in paths.items():
        for method, call in methods.items():
            groups.setdefault(next(iter(call.get("tags", ())), "more"), []).append(
                (method, path, call)
            )
    return groups


_CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("connect", "script", "style")),
        "img-src 'self' data: blob:",  # QR codes are fetched with the key and shown from memory
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@blueprint.get("/console")
@hide
async def get_console() -> Response:
    chosen = request.args.get("language", "")
    language = chosen if chosen in CONSOLE else page_language(CONSOLE)
    text = await render_template("console.html", t=CONSOLE[language], language=language)
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    response.headers["Vary"] = "Accept-Language"
    return response
