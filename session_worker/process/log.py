"""The log of a worker, without secrets."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_worker.protocol.contract import Assignment


TEXT = "%(asctime)s %(levelname)-8s [%(number)s] %(name)s: %(message)s"
NOBODY = "-"  # the number in lines of the gateway itself
# Their lines of lower levels may quote what passes through them.
CHATTY = ("alembic", "httpcore", "httpx", "telethon")


def configure(assignment: Assignment) -> None:
    set_up(assignment.log_level, assignment.log_format, secrets_of(assignment), assignment.number)


def set_up(
    level: str, log_format: Literal["text", "json"], secrets: Iterable[str], number: str = NOBODY
) -> logging.Handler:
    """Log to the standard error output that all processes of the gateway share."""
    kind = JsonFormatter if log_format == "json" else TextFormatter
    handler = logging.StreamHandler()
    handler.setFormatter(kind(Redactor(secrets), number))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def secrets_of(assignment: Assignment) -> tuple[str, ...]:
    """Return every form in which a secret of this worker could appear in a line."""
    key = assignment.session.auth_key if assignment.session else b""
    return (
        assignment.application.api_hash,
        assignment.planfix.token,
        *(assignment.proxy.secrets if assignment.proxy else ()),
        key.hex(),
        repr(key)[2:-1],
    )


class TextFormatter(logging.Formatter):
    """Formats lines for people."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor, number: str = NOBODY) -> None:
        super().__init__(TEXT, defaults={"number": number})
        self.number = number
        self.clean = redactor.clean

    def format(self, record: logging.LogRecord) -> str:
        return self.clean(super().format(record))


class JsonFormatter(TextFormatter):
    """Formats lines for programs."""

    def format(self, record: logging.LogRecord) -> str:
        # Fields are cleaned before they are quoted, because nested quotes would hide the end of a
        # secret.
        fields = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "number": None if self.number == NOBODY else self.number,
            "message": self.clean(record.getMessage()),
        }
        if record.exc_info:
            fields["exception"] = self.clean(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


HIDDEN = "[hidden]"
SHORTEST_SECRET = 6  # characters; a shorter secret would hide ordinary words
_NAMED = re.compile(
    r"""(?ix)
    (?P<name> \b (?: authorization | (?:[\w-]*_)? (?: token | secret | password | api_hash
        | auth_key | admin_key | secret_key | string_session ) (?:_\w+)? ) ["']? \s* [=:] \s* )
    (?P<value> (?: bearer \s+ )? (?: "[^"]*" | '[^']*' | [^\s,;&"'}\])]+ ) )
    """
)
_BEARER = re.compile(r"(?i)(?P<name>\bbearer\s+)(?P<value>[\w.~+/=-]+)")
_LINK = re.compile(r"(?P<name>/(?:login|files)/)(?P<value>[\w.-]{16,})")
_IN_ADDRESS = re.compile(r"(?P<name>\w+://[^\s/:@]*:)(?P<value>[^\s/@]+)(?=@)")
_OF_BOT = re.compile(r"(?P<name>(?<!\d)\d{5,15}:)(?P<value>[\w-]{20,})")
_OF_MTPROXY = re.compile(r"(?i)(?P<name>\bmtproxy://)(?P<value>[^\s/@]+)(?=@)")


class Redactor:
    """Hides the secrets it was given and everything that is labelled as one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._known = sorted(known, key=len, reverse=True)

    def clean(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern in (_NAMED, _BEARER, _IN_ADDRESS, _OF_MTPROXY, _OF_BOT, _LINK):
            text = pattern.sub(rf"\g<name>{HIDDEN}", text)
        return text
