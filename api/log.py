"""How the gateway logs, its server included."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from supervisor.log import set_up_log

if TYPE_CHECKING:
    from api.settings import Settings

_SERVER = "hypercorn.error"


def set_up_logging(settings: Settings) -> None:
    secrets = (
        settings.admin_key.get_secret_value(),
        *settings.secret_key.get_secret_value().split(","),
        settings.telegram_api_hash.get_secret_value(),
    )
    handler = set_up_log(settings.log_level, settings.log_format, secrets)
    logging.getLogger(_SERVER).addFilter(partial(_take_over, handler))


def _take_over(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Keep a line from the server's own handler, which knows no redaction."""
    handler.handle(record)
    return False
