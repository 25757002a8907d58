"""The HTTP side of the gateway; `hypercorn "api:create_app()"` finds the application here."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart import Quart

    from api.settings import Settings
    from supervisor.gateway import Gateway

__all__ = ["create_app"]


def create_app(settings: Settings | None = None, gateway: Gateway | None = None) -> Quart:
    # Imported late, so that importing a module of this package does not load the web framework.
    # Its modules never become garbage, and looking for garbage meanwhile takes a sixth of a start.
    gc.disable()
    try:
        from api.app import create_app as create
    finally:
        gc.enable()
    return create(settings, gateway)
