"""The application: settings in, addresses out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Quart, Response

from api.blueprints import (
    audit,
    console,
    docs,
    files,
    health,
    journal,
    login,
    login_page,
    message,
    numbers,
    webhook,
)
from api.body import LARGEST
from api.errors import register_error_handlers
from api.lifespan import serve_gateway
from api.log import set_up_logging
from api.openapi import describe_api
from api.refusal import StartRefused, refuse
from api.settings import Settings, SettingsInvalid, read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from api.gateway import Gateway

# What a caller can make us hold is bounded here, by `body.SMALL` for each route, by Hypercorn's
# defaults for headers: 16 KiB, to be sent within 5 seconds.
BODY_TIMEOUT = 15  # seconds a caller may take to send its body
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_app(settings: Settings | None = None, gateway: Gateway | None = None) -> Quart:
    """Make the application; with no settings given it reads its own and sets up logging."""
    if settings is None:
        settings = _settings_or_exit()
        set_up_logging(settings)
    app = Quart("api")
    app.config.update(MAX_CONTENT_LENGTH=LARGEST, BODY_TIMEOUT=BODY_TIMEOUT)
    describe_api(app)
    register_error_handlers(app)
    for module in (
        webhook,
        message,
        numbers,
        journal,
        files,
        login,
        login_page,
        audit,
        health,
        docs,
        console,
    ):
        app.register_blueprint(module.blueprint)
    app.after_request(_guard)
    _serve_while_app_serves(app, settings, gateway)
    return app


def _settings_or_exit() -> Settings:
    try:
        return read_settings()
    except SettingsInvalid as exc:
        refuse(str(exc))


def _serve_while_app_serves(app: Quart, settings: Settings, gateway: Gateway | None) -> None:
    @app.while_serving
    async def lifespan() -> AsyncGenerator[None, None]:
        try:
            async with serve_gateway(app, settings, gateway):
                yield
        except StartRefused as exc:
            refuse(str(exc))


async def _guard(response: Response) -> Response:
    for name, value in _PAGE_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
