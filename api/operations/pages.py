"""Pages for people: the operator's console, a link that signs in to it once, and the documentation of the API."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any, cast

from quart import Blueprint, Response, current_app, redirect, render_template, request
from quart_schema import hide

from api.context import context
from api.requests.errors import ApiError
from api.texts import CONSOLE, page_language

if TYPE_CHECKING:
    from quart import Quart
    from werkzeug.wrappers import Response as BaseResponse

_DOCS = "telefix docs"

blueprint = Blueprint("pages", __name__)


@blueprint.get("/docs")
@hide
async def get_docs() -> str:
    """Show the documentation, which is rendered once: anybody may ask for it, and it takes long."""
    rendered: str | None = current_app.extensions.get(_DOCS)
    if rendered is None:
        schema = current_app.extensions["QUART_SCHEMA"].openapi_provider.schema()
        rendered = await render_template("docs.html", api=schema, groups=_by_tag(schema["paths"]))
        current_app.extensions[_DOCS] = rendered
    return rendered


def _by_tag(paths: dict[str, Any]) -> dict[str, list[tuple[str, str, Any]]]:
    """Return every call with its method and path, grouped by what the calls are about."""
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


@blueprint.get("/")
@hide
async def get_root() -> BaseResponse:
    return redirect("/console")


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


LASTS = 3600.0  # seconds
_KEY = "console_link"


class ConsoleLink:
    """The secret of a link, which opens the console once and within an hour."""

    def __init__(self, now: float) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._expires = now + LASTS
        self._is_used = False

    def use(self, secret: str, now: float) -> bool:
        """Use the link up; return whether this is its secret, and nobody has used it before."""
        is_right = hmac.compare_digest(self.secret.encode(), secret.encode())
        if not is_right or self._is_used or now > self._expires:
            return False
        self._is_used = True
        return True


def make_console_link(app: Quart) -> str:
    """Make a link in place of an earlier one, and return its path."""
    link = app.extensions[_KEY] = ConsoleLink(time.monotonic())
    return f"/console/link/{link.secret}"


@blueprint.get("/console/link/<secret>")
@hide
async def get_console_link(secret: str) -> Response:  # noqa: ARG001 - the page's script sends it back
    """Serve a page that signs in by itself, so that a program that only fetches the link does not use it up."""
    language = page_language(CONSOLE)
    page = await render_template("console_link.html", t=CONSOLE[language], language=language)
    policy = "default-src 'none'; connect-src 'self'; script-src 'self'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(page, content_type="text/html; charset=utf-8", headers=headers)


@blueprint.post("/console/link/<secret>")
@hide
async def post_console_link(secret: str) -> Response:
    """Hand the admin key to the first browser that comes with the link."""
    link = cast("ConsoleLink | None", current_app.extensions.get(_KEY))
    if link is None or not link.use(secret, time.monotonic()):
        raise ApiError(404, "not_found", "the link was used before, or it is too old")
    key = context().settings.admin_key.get_secret_value()
    return Response(key, content_type="text/plain", headers={"Cache-Control": "no-store"})
