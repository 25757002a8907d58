"""No line shows a secret, however it is written."""

from __future__ import annotations

import json
import logging

import pytest

from session_worker.process.log import HIDDEN, JsonFormatter, Redactor, TextFormatter

SECRET = "s3cret-value-0123456789"


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("api", logging.INFO, "f.py", 1, message, args, None)


@pytest.mark.parametrize(
    "line",
    [
        f"plain {SECRET} inside",
        f"Authorization: Bearer {SECRET}",
        f"authorization=bearer {SECRET}",
        f"Token: {SECRET}",
        f"{{'token_planfix': '{SECRET}'}}",
        f'{{"planfix_token":"{SECRET}","a":1}}',
        f"POST /webhook?token={SECRET}&a=1",
        f"api_hash={SECRET}",
        f"GET /login/{SECRET}/qr.svg 1.1 200",
        f"Exception on request GET /files/{SECRET}.12.0/a.pdf",
        f"postgresql://telefix:{SECRET}@db/telefix",
    ],
)
@pytest.mark.parametrize("known", [(), (SECRET,)])
def test_secret_is_hidden(line: str, known: tuple[str, ...]) -> None:
    """Known secrets are hidden wherever they stand, others where they are labelled."""
    cleaned = Redactor(known).clean(line)

    if known or not line.startswith("plain"):
        assert SECRET not in cleaned
        assert HIDDEN in cleaned


def test_ordinary_line_stays() -> None:
    """What holds no secret is not touched."""
    line = "worker 4711 of 380955821319 is online, token given out, key checked"

    assert Redactor((SECRET, "")).clean(line) == line


def test_line_for_people_hides_arguments() -> None:
    """A secret that comes in as an argument is hidden too."""
    line = TextFormatter(Redactor((SECRET,))).format(record("got %s", SECRET))

    assert line.endswith(f"INFO     [-] api: got {HIDDEN}")


def test_line_for_machines_is_json() -> None:
    """LOG_FORMAT=json writes one object a line, with the exception in it."""
    broken = record("broken %s", "pipe")
    broken.exc_info = (ValueError, ValueError(SECRET), None)

    line = JsonFormatter(Redactor((SECRET,))).format(broken)

    parsed = json.loads(line)
    assert parsed["message"] == "broken pipe"
    assert (parsed["level"], parsed["number"]) == ("INFO", None)
    assert f"ValueError: {HIDDEN}" in parsed["exception"]
    assert "\n" not in line


def test_secret_in_quotes_breaks_no_object() -> None:
    """A labelled secret that is quoted is hidden whole, the line stays an object."""
    line = JsonFormatter(Redactor()).format(record('token="%s"', SECRET))

    assert json.loads(line)["message"] == f"token={HIDDEN}"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a-",
        "_a-",
        "token_",
        "token-",
        "1",
        "a://",
        "a://:",
        "mtproxy://",
        'token="',
        "token=bearer ",
    ],
)
def test_no_line_takes_long(piece: str) -> None:
    """A server may answer with a very long word, which is logged as a part of an error.

    Where the time grew with the square of its length, this would never end.
    """
    assert Redactor((SECRET,)).clean(piece * (3 * 10**6 // len(piece)))


@pytest.mark.parametrize("label", ["x-token", "my_token", "proxy-authorization", "token_planfix"])
def test_secret_under_a_longer_label_is_hidden(label: str) -> None:
    """A label may be a part of a longer word."""
    assert SECRET not in Redactor().clean(f"got {label}: {SECRET}")


FORGED = "x\n2026-01-01T00:00:00.000Z INFO     [-] api: all is well\r\x1b[2J\x9b\u2028\u202e\ud800"


def test_nothing_quoted_looks_like_another_line() -> None:
    """A contact's name or a server's answer neither begins a line of the log nor steers a terminal."""
    broken = record("Planfix says: %s", FORGED)
    broken.exc_info = (ValueError, ValueError(FORGED), None)

    first, *more = TextFormatter(Redactor()).format(broken).split("\n")

    shown = "x\\n2026-01-01T00:00:00.000Z INFO     [-] api: all is well\\r\\x1b[2J\\x9b\\u2028\\u202e\\ud800"
    assert first.endswith(f"Planfix says: {shown}")
    assert more
    assert all(line.startswith("  ") and line.isprintable() for line in more)
