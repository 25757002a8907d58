"""The application that waits for the id of a message as long as it may: `hypercorn "tests.acceptance.bots.app:create_app()"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import api
from api.requests.body import LONGEST_WAIT

if TYPE_CHECKING:
    from quart import Quart


def create_app() -> Quart:
    """Make the application; on a busy machine a message is often not sent within two seconds."""
    app = api.create_app()
    app.config["MESSAGE_ID_TIMEOUT"] = LONGEST_WAIT
    return app
