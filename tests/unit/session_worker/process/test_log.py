"""The log lines of a worker."""

from __future__ import annotations

import json
import logging
import os
from typing import Literal

import pytest

from session_worker.process import log
from session_worker.process.log import HIDDEN, LONGEST, RecentLines
from session_worker.protocol.contract import Application, Assignment, PlanfixAccount, StoredSession
from session_worker.protocol.pipe_fields import MOST_LINES

KEY = bytes(range(256))


@pytest.fixture(autouse=True)
def root_as_before() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def configure(log_format: Literal["text", "json"]) -> RecentLines:
    return log.configure(
        Assignment(
            number="380500000001",
            epoch=1,
            deadline=1.0,
            application=Application(api_id=1, api_hash="0123456789abcdef"),
            session=StoredSession(dc_id=2, server_address="::", port=1, auth_key=KEY),
            planfix=PlanfixAccount(url="https://p/", token="planfix-token", provider_id="t"),
            spool="spool",
            log_format=log_format,
        )
    )


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_shows_a_secret(
    log_format: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    """The key in any writing, the tokens, even within a traceback, are blacked out."""
    configure(log_format)

    try:
        _fail()
    except ValueError:
        logging.getLogger("x").exception("hash 0123456789abcdef, %s", KEY.hex())

    said = capsys.readouterr().err
    assert HIDDEN in said
    for secret in ("planfix-token", "0123456789abcdef", KEY.hex(), repr(KEY)[2:-1]):
        assert secret not in said
        assert json.dumps(secret)[1:-1] not in said


def test_each_line_says_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of hundreds of workers share one stream, so each names its number."""
    configure("text")

    logging.getLogger("x").warning("something")

    assert "[380500000001] x: something" in capsys.readouterr().err


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """LOG_FORMAT=json makes each line an object with the number in it."""
    configure("json")

    logging.getLogger("x").warning("something\nelse")

    (line,) = capsys.readouterr().err.splitlines()
    parsed = json.loads(line)
    assert (parsed["number"], parsed["pid"]) == ("380500000001", os.getpid())
    assert (parsed["level"], parsed["logger"]) == ("WARNING", "x")
    assert parsed["message"] == "something\nelse"


def test_newest_lines_are_kept_for_the_gateway() -> None:
    """What an operator sees on the page of a number is as clean as the log, and as new as can be."""
    recent = configure("json")
    woken: list[bool] = []
    recent.wake = lambda: woken.append(True)

    for count in range(2 * MOST_LINES):
        logging.getLogger("y").info("line %d", count)
    taken = recent.take()

    assert len(woken) == 2 * MOST_LINES
    assert len(taken) == MOST_LINES
    assert taken[-1][1:] == ("INFO", f"y: line {2 * MOST_LINES - 1}")
    assert recent.take() == []
    try:
        _fail()
    except ValueError:
        logging.getLogger("x").exception("failed")
    [(_, level, text)] = recent.take()
    assert (level, text.splitlines()[0]) == ("ERROR", "x: failed")
    assert text.splitlines()[-1].startswith("  ValueError: token=[hidden]")
    assert len(text) <= LONGEST
    assert "planfix-token" not in text


def _fail() -> None:
    raise ValueError(f"token=planfix-token key={KEY!r}")
