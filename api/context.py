"""What the handlers of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from quart import current_app

from api.requests.errors import ApiError

if TYPE_CHECKING:
    from quart import Quart

    from api.gateway import Gateway
    from api.security.authenticator import Door
    from api.settings import Settings
    from api.undisturbed import Undisturbed

_KEY = "telefix"


@dataclass(frozen=True, slots=True)
class Context:
    """The running gateway, with what guards it."""

    settings: Settings
    gateway: Gateway
    door: Door
    work: Undisturbed


def share(app: Quart, context: Context) -> None:
    app.extensions[_KEY] = context


def context() -> Context:
    if _KEY not in current_app.extensions:
        raise ApiError(503, "starting", "the gateway is starting")
    return cast("Context", current_app.extensions[_KEY])
