"""Log lines of a worker: each says whose it is, none shows a secret."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.contract import Assignment

SHORTEST_SECRET = 8  # characters; shorter ones are placeholders, found in ordinary words
TEXT = "%(asctime)s %(levelname)s %(name)s [%(number)s] %(message)s"


def configure(assignment: Assignment) -> None:
    """Log to the standard error output that all processes of the gateway share."""
    handler = logging.StreamHandler()
    handler.setFormatter(_make_formatter(assignment))
    logging.basicConfig(level=assignment.log_level, handlers=[handler], force=True)
    logging.getLogger("telethon").setLevel(logging.WARNING)
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def secrets_of(assignment: Assignment) -> tuple[str, ...]:
    """Every form in which a secret of this worker could get into a line."""
    key = assignment.session.auth_key if assignment.session else b""
    texts = (
        assignment.application.api_hash,
        assignment.planfix.token,
        key.hex(),
        repr(key)[2:-1],
    )
    found = [text for text in texts if len(text) >= SHORTEST_SECRET]
    return (*found, *(json.dumps(text)[1:-1] for text in found))


def _make_formatter(assignment: Assignment) -> logging.Formatter:
    kind = _JsonFormatter if assignment.log_format == "json" else _TextFormatter
    return kind(assignment.number, secrets_of(assignment))


class _TextFormatter(logging.Formatter):
    """Lines for people."""

    def __init__(self, number: str, secrets: tuple[str, ...]) -> None:
        super().__init__(TEXT, defaults={"number": number})
        self.number = number
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = self.write(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line

    def write(self, record: logging.LogRecord) -> str:
        return super().format(record)


class _JsonFormatter(_TextFormatter):
    """Lines for machines."""

    def write(self, record: logging.LogRecord) -> str:
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "number": self.number,
            "event": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
