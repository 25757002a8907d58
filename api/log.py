"""How the gateway logs, its server included."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from supervisor.log import set_up_log

if TYPE_CHECKING:
    from api.settings import Settings

_SERVER = "hypercorn.error"
_CONNECTION = "Unhandled exception in client_connected_cb"
_OF_STREAMS = "priority"  # the package by which the server counts HTTP/2's streams


def set_up_logging(settings: Settings) -> None:
    secrets = (
        settings.admin_key.get_secret_value(),
        *settings.secret_key.get_secret_value().split(","),
        settings.telegram_api_hash.get_secret_value(),
    )
    handler = set_up_log(settings.log_level, settings.log_format, secrets)
    logging.getLogger(_SERVER).addFilter(partial(_take_over, handler))
    logging.getLogger("asyncio").addFilter(shorten_lost_connection)


def shorten_lost_connection(record: logging.LogRecord) -> bool:
    """Say in a line what a stranger can bring about at will, else as a traceback of the server's."""
    error = record.exc_info[1] if record.exc_info else None
    causes: list[BaseException] = [error] if error else []
    while any(isinstance(each, BaseExceptionGroup) for each in causes):
        causes = [one for each in causes for one in getattr(each, "exceptions", (each,))]
    is_of_server = record.getMessage().startswith(_CONNECTION)
    if is_of_server and causes and all(map(_is_strangers_doing, causes)):
        record.msg, record.args = "a connection was given up: %s", (type(causes[0]).__name__,)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = None
    return True


def _is_strangers_doing(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith(_OF_STREAMS)


def _take_over(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Keep a line from the server's own handler, which knows no redaction."""
    handler.handle(record)
    return False
