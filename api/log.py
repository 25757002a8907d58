"""How the gateway's log lines look."""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from api.redaction import Redactor

if TYPE_CHECKING:
    from api.settings import Settings

_TEXT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
_SERVER = "hypercorn.error"


class CleanFormatter(logging.Formatter):
    """Writes a line for people, without secrets."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_TEXT)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(self.say(record))

    def say(self, record: logging.LogRecord) -> str:
        return super().format(record)


class JsonFormatter(CleanFormatter):
    """Writes a line for machines, without secrets."""

    def say(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process or 0,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _take_over(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Keep a line from the server's own handler, which knows no redaction."""
    handler.handle(record)
    return False


def set_up_logging(settings: Settings) -> None:
    secrets = (
        settings.admin_key.get_secret_value(),
        *settings.secret_key.get_secret_value().split(","),
        settings.telegram_api_hash.get_secret_value(),
    )
    chosen = JsonFormatter if settings.log_format == "json" else CleanFormatter
    handler = logging.StreamHandler()
    handler.setFormatter(chosen(Redactor(secrets)))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.getLogger(_SERVER).addFilter(partial(_take_over, handler))
    # aiosqlite tells every value that it writes.
    for chatty in ("aiosqlite", "alembic", "httpcore", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
