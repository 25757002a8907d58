"""Plugs TeamFlame's part into the gateway, if a bot for it is set up."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from quart import request

from api.context import context
from api.security.client_address import neighbourhood
from teamflame.service.client import ServiceConfig
from teamflame.service.endpoints import Dialect
from teamflame.teamflame import TeamFlame, TeamFlameConfig
from teamflame.web import auth, boards, mini_app, tasks
from teamflame.web.admission import share

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart import Quart

    from api.settings import Settings
    from supervisor.gateway import Gateway


def register_teamflame(app: Quart) -> None:
    """Register the calls of TeamFlame's part; a gateway on standby refuses them as all others."""
    for module in (auth, boards, tasks, mini_app):
        app.register_blueprint(module.blueprint)
    app.before_request(_require_active)


@asynccontextmanager
async def serve_teamflame(
    app: Quart, settings: Settings, gateway: Gateway, *frame_origins: str
) -> AsyncIterator[None]:
    """Serve TeamFlame's calls while entered, if there is a bot for it."""
    token = settings.teamflame_bot_token.get_secret_value()
    if not token:
        yield
        return
    config = TeamFlameConfig(
        bot_token=token,
        service=ServiceConfig(
            auth_url=settings.teamflame_auth_url,
            api_url=settings.teamflame_api_url,
            dialect=Dialect(settings.teamflame_profile),
        ),
        app_url=f"{settings.public_url}/teamflame/app/",
        language=settings.language,
        frame_origins=frame_origins,
    )
    teamflame = TeamFlame(config, gateway.database, gateway.vault, gateway.link_keys)
    share(app, teamflame, _address_of_caller)
    try:
        yield
    finally:
        await teamflame.stop()


async def _require_active() -> None:
    if request.path.startswith("/teamflame/"):
        context()


def _address_of_caller() -> str:
    return neighbourhood(context().authenticator.address_of(request))
