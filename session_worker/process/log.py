"""The log of a worker, without secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from session_worker.protocol.contract import Logged, LogLine
from session_worker.protocol.pipe import PipeClosed
from session_worker.protocol.pipe_fields import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_worker.protocol.contract import Assignment, Command, Event
    from session_worker.protocol.pipe import Pipe


TEXT = "%(asctime)s %(levelname)-8s [%(number)s] %(name)s: %(message)s"
SHORT = "%(name)s: %(message)s"
NOBODY = "-"  # the number in lines of the gateway itself
# What these libraries log at lower levels may quote messages and keys.
CHATTY = ("alembic", "httpcore", "httpx", "telethon")


def configure(assignment: Assignment) -> RecentLines:
    """Set up the log of a worker; return the lines that are kept for the gateway."""
    secrets = secrets_of(assignment)
    set_up(assignment.log_level, assignment.log_format, secrets, assignment.number)
    recent = RecentLines(TextFormatter(Redactor(secrets), layout=SHORT))
    logging.getLogger().addHandler(recent)
    return recent


def set_up(
    level: str, log_format: Literal["text", "json"], secrets: Iterable[str], number: str = NOBODY
) -> logging.Handler:
    """Log to the standard error output that all processes of the gateway share."""
    kind = JsonFormatter if log_format == "json" else TextFormatter
    handler = logging.StreamHandler()
    handler.setFormatter(kind(Redactor(secrets), number))
    logging.basicConfig(handlers=[handler], force=True)
    logging.captureWarnings(True)
    set_levels(level)
    return handler


def set_levels(level: str) -> None:
    _limit("", level)
    for name in CHATTY:
        _limit(name, "WARNING")


def _limit(name: str, level: str) -> None:
    """Set the level of a logger, unless it has it: setting one writes to every logger that there is."""
    logger = logging.getLogger(name)
    if logging.getLevelName(logger.level) != level:
        logger.setLevel(level)


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
    """Formats lines for people; nothing that a record quotes can look like another record."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor, number: str = NOBODY, layout: str = TEXT) -> None:
        super().__init__(layout, defaults={"number": number})
        self.number = number
        self.clean = redactor.clean

    def format(self, record: logging.LogRecord) -> str:
        return self.clean(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = visible(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {visible(line)}" for line in lines)


def visible(text: str) -> str:
    """Write line breaks and what steers a terminal as Python does, because a stranger may have sent them."""
    if text.isprintable():
        return text
    signs = (each if each.isprintable() else each.encode("unicode_escape") for each in text)
    return "".join(each if isinstance(each, str) else each.decode() for each in signs)


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


LONGEST = 500  # characters of a line for the gateway
HEAD = 150  # characters of them that are taken from the beginning


class RecentLines(logging.Handler):
    """Keeps the newest lines until they are taken; `wake` is called when there is one."""

    def __init__(self, formatter: TextFormatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._lines: deque[tuple[float, str, str]] = deque(maxlen=MOST_LINES)
        self.wake: Callable[[], None] = do_nothing

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append((record.created, record.levelname, shorten(self.format(record))))
            self.wake()
        except Exception:  # noqa: BLE001 - as every handler, it must not fail the code that logs
            self.handleError(record)

    def take(self) -> list[tuple[float, str, str]]:
        """Return when each line was written, its level and its text, oldest first."""
        return [self._lines.popleft() for _ in range(len(self._lines))]


def shorten(text: str) -> str:
    """Leave out the middle of a long text: a traceback says what happened at its end."""
    return text if len(text) <= LONGEST else f"{text[:HEAD]} … {text[HEAD - LONGEST + 3 :]}"


def do_nothing() -> None:
    pass


LOG_PAUSE = 0.3  # seconds in which lines are collected


class LogSender:
    """Sends the lines of the log to the gateway, a moment after they were written."""

    def __init__(self, pipe: Pipe[Command, Event], recent: RecentLines) -> None:
        self._pipe = pipe
        self._recent = recent
        self._loop = asyncio.get_running_loop()
        self._is_due = False
        recent.wake = self._wake
        self._plan()

    def end(self) -> None:
        """Send what is left; from here on nobody sends lines."""
        self._recent.wake = do_nothing
        self._send()

    def _wake(self) -> None:
        # Lines may come from other threads.
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon_threadsafe(self._plan)

    def _plan(self) -> None:
        self._loop.call_later(LOG_PAUSE, self._send)

    def _send(self) -> None:
        self._is_due = False
        lines = tuple(
            LogLine(at=at, level=level, text=text) for at, level, text in self._recent.take()
        )
        if lines:
            with suppress(PipeClosed):  # the next report notices that the gateway is gone
                self._pipe.put(Logged(lines=lines))


HIDDEN = "[hidden]"
SHORTEST_SECRET = 6  # characters; a shorter secret would hide ordinary words
# Each word is read once, from its beginning: a stranger may have put a very long one into a line.
_NAMED = re.compile(
    r"""(?ix)
    (?P<name> (?<![\w-]) (?= (?:[\w-]*?[_-])? (?: authorization | token | secret | password
        | api_hash | auth_key | admin_key | secret_key | string_session ) (?: _ | (?![\w-]) ) )
        [\w-]++ ["']? \s* [=:] \s* )
    (?P<value> (?: bearer \s+ )? (?: "[^"]*" | '[^']*' | [^\s,;&"'}\])]+ ) )
    """
)
_BEARER = re.compile(r"(?i)(?P<name>\bbearer\s+)(?P<value>[\w.~+/=-]+)")
_LINK = re.compile(r"(?P<name>/(?:login|files)/)(?P<value>[\w.-]{16,})")
_IN_ADDRESS = re.compile(r"(?P<name>(?<!\w)\w++://[^\s/:@]*:)(?P<value>[^\s/@]++)(?=@)")
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
