"""The operator's web page: it holds no data, its script asks the calls with the operator's key."""

from __future__ import annotations

from quart import Blueprint, Response, render_template
from quart_schema import hide

from api.console_words import LANGUAGES
from api.page_language import page_language

blueprint = Blueprint("pages", __name__)

_CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("connect", "script", "style")),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@blueprint.get("/console")
@hide
async def get_console() -> Response:
    language = page_language(LANGUAGES)
    text = await render_template("console.html", t=LANGUAGES[language], language=language)
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    response.headers["Vary"] = "Accept-Language"
    return response
