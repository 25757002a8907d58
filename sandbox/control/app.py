"""Makes the sandbox's web app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart import Quart, Response, current_app

from sandbox.control import alert_calls, page, proxy_calls, teamflame_calls
from sandbox.control.errors import register_errors
from sandbox.control.planfix import calls as planfix_calls
from sandbox.control.planfix import rest as planfix_rest
from sandbox.control.planfix import webhooks as planfix_webhooks
from sandbox.control.telegram import bot_calls, client_calls, group_calls
from sandbox.control.telegram import calls as telegram_calls

if TYPE_CHECKING:
    from sandbox.planfix.planfix import Planfix
    from sandbox.proxy.proxies import Proxies
    from sandbox.teamflame.teamflame import TeamFlame
    from sandbox.telegram.data_centre import DataCentre

MAX_BODY = 200 * 1024 * 1024


def create_app(
    planfix: Planfix, data_centre: DataCentre, proxies: Proxies, teamflame: TeamFlame
) -> Quart:
    """Build the app that shows and controls all parts of the sandbox."""
    app = Quart(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["planfix"] = planfix
    app.extensions["data_centre"] = data_centre
    app.extensions["proxies"] = proxies
    app.extensions["alerts"] = []
    app.extensions["alert_fault"] = {}
    app.extensions["teamflame"] = teamflame
    app.register_blueprint(page.blueprint)
    app.register_blueprint(planfix_calls.blueprint)
    app.register_blueprint(planfix_rest.blueprint)
    app.register_blueprint(planfix_webhooks.blueprint)
    app.register_blueprint(telegram_calls.blueprint)
    app.register_blueprint(client_calls.blueprint)
    app.register_blueprint(group_calls.blueprint)
    app.register_blueprint(bot_calls.blueprint)
    app.register_blueprint(proxy_calls.blueprint)
    app.register_blueprint(alert_calls.blueprint)
    app.register_blueprint(teamflame_calls.blueprint)
    app.add_url_rule("/reset", view_func=post_reset, methods=["POST"])
    app.after_request(forbid_sniffing)
    register_errors(app)
    return app


async def post_reset() -> dict[str, Any]:
    current_app.extensions["planfix"].reset()
    current_app.extensions["alerts"].clear()
    current_app.extensions["alert_fault"].clear()
    current_app.extensions["data_centre"].reset()
    current_app.extensions["teamflame"].reset()
    await current_app.extensions["proxies"].stop()
    return {}


async def forbid_sniffing(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
