"""The operator's console and the documentation of the API."""

from __future__ import annotations

from quart import Blueprint, Response, current_app, render_template, request
from quart_schema import hide

from api.context import context
from api.texts import CONSOLE, page_language

blueprint = Blueprint("pages", __name__)


@blueprint.get("/docs")
@hide
async def get_docs() -> str:
    provider = current_app.extensions["QUART_SCHEMA"].openapi_provider
    return await render_template("docs.html", api=provider.schema())


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
    webhook_url = f"{context(on_standby=True).settings.public_url}/webhook/message"
    text = await render_template(
        "console.html", t=CONSOLE[language], language=language, webhook_url=webhook_url
    )
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    response.headers["Vary"] = "Accept-Language"
    return response
