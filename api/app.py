"""Builds the Quart application: its calls, error handlers and headers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from quart import Quart, Response, request
from quart.wrappers.response import DataBody

from api.bot_api import calls as bot_api_calls
from api.bots import calls as bot_calls
from api.lifecycle.lifespan import serve_gateway
from api.lifecycle.server_process import StartRefused, exit_refused, set_up_logging
from api.login import calls as login_calls
from api.login import page
from api.messages import dead_letters, files, journal, planfix_webhook
from api.messages.files import Downloads
from api.nodes import calls as node_calls
from api.nodes.forwarding import register_forwarding
from api.notifications import calls as notification_calls
from api.notifications import planfix_events
from api.numbers import actions, chats, events, history, summary, traffic
from api.numbers import calls as number_calls
from api.operations import alarms, audit, health, pages
from api.requests.body import LARGEST
from api.requests.errors import register_error_handlers
from api.requests.openapi import describe_api
from api.requests.uploads import accept_uploads
from api.security.request_guard import guard_requests
from api.settings import Settings, SettingsInvalid, read_settings
from api.teamflame import register_teamflame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from quart.wrappers.base import BaseRequestWebsocket
    from werkzeug.routing import MapAdapter

    from supervisor.gateway import Gateway

# What a caller can make us keep in memory is bounded by these limits, by `body.SMALL` for each
# route, and by Hypercorn's defaults for headers: 16 KiB and one more read, within 5 seconds.
BODY_TIMEOUT = 15  # seconds a caller has to send its body
STALL_TIMEOUT = 60  # seconds a caller may pause while it reads its answer
MESSAGE_ID_TIMEOUT = 2.0  # seconds for which a call of the Bot API waits for the id of its message
_ANY_HOST = "gateway"
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}


class Application(Quart):
    """Routes by the path alone: no route depends on the host that a caller names, so it is not read."""

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        if request is None:
            return None
        query = request.query_string.decode("latin-1")
        return self.url_map.bind(
            _ANY_HOST, request.root_path, None, request.scheme, request.method, request.path, query
        )


def create_app(settings: Settings | None = None, gateway: Gateway | None = None) -> Quart:
    """Make the application; without settings, read them from the environment and set up the log."""
    if settings is None:
        settings = _settings_or_exit()
        set_up_logging(settings)
    app = Application("api")
    app.url_map.merge_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=LARGEST, BODY_TIMEOUT=BODY_TIMEOUT)
    app.config.update(STALL_TIMEOUT=STALL_TIMEOUT, DOWNLOADS=Downloads())
    app.config.update(MESSAGE_ID_TIMEOUT=MESSAGE_ID_TIMEOUT)
    guard_requests(app, _page_headers(settings))
    accept_uploads(app)
    describe_api(app)
    register_error_handlers(app)
    register_forwarding(app)
    for module in (
        number_calls,
        summary,
        planfix_webhook,
        chats,
        actions,
        bot_api_calls,
        history,
        events,
        traffic,
        bot_calls,
        journal,
        dead_letters,
        files,
        notification_calls,
        planfix_events,
        login_calls,
        page,
        audit,
        node_calls,
        health,
        alarms,
        pages,
    ):
        app.register_blueprint(module.blueprint)
    register_teamflame(app)
    app.after_request(_adjust)
    _serve_while_app_serves(app, settings, gateway)
    return app


def _settings_or_exit() -> Settings:
    try:
        return read_settings()
    except SettingsInvalid as exc:
        exit_refused(str(exc))


def _serve_while_app_serves(app: Quart, settings: Settings, gateway: Gateway | None) -> None:
    @app.while_serving
    async def lifespan() -> AsyncGenerator[None, None]:
        try:
            async with serve_gateway(app, settings, gateway):
                yield
        except StartRefused as exc:
            exit_refused(str(exc))


def _page_headers(settings: Settings) -> dict[str, str]:
    is_encrypted = settings.public_url.startswith("https:")
    return _PAGE_HEADERS | (_OVER_TLS if is_encrypted else {})


async def _adjust(response: Response) -> Response:
    if isinstance(response.response, DataBody):
        # The guard already limits a single piece; to limit all pieces the framework starts a task.
        response.timeout = None
    if response.status_code == HTTPStatus.PERMANENT_REDIRECT:
        # The framework redirects only to add a slash. It would use the scheme and host that it
        # sees itself; behind a proxy, a visitor would then send a login link over plain HTTP.
        response.set_data(b"")
        response.location = f"./{quote(request.path.rpartition('/')[2], safe='')}/"
    return response
