"""Planfix's answers decide what happens next."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.planfix.answer import (
    LONGEST_DETAIL,
    PlanfixAnswerLost,
    PlanfixError,
    PlanfixRejected,
    PlanfixUnauthorized,
    PlanfixUnavailable,
    check,
    seconds_to_wait,
    task_number,
)

TOKEN, TEXT = "0123456789abcdef", "Добрий день & <вечір>\nrue de l'Été 7/9"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b'{"data":{"number":1014}}', 1014),
        (b'{"data":"{\\"number\\":1014,\\"statusIsActive\\":true}"}', 1014),
        (b'{"number":"1014"}', 1014),
        (b"", None),
        (b"{}", None),
        (b"[]", None),
        (b'{"data":null}', None),
        (b"<html>", None),
        (b'{"data":{"number":"x"}}', None),
        (b'{"data":{"number":1e300}}', None),
        (b'{"data":{"number":' + b"9" * 4000 + b"}}", None),
        (b'{"data":{"number":' + b"9" * 5000 + b"}}", None),
        (b'{"data":{"number":"-1"}}', None),
    ],
)
def test_a_task_number_is_found_in_every_form(body: bytes, number: int | None) -> None:
    """Data may be an object, text, the whole answer, or missing."""
    assert task_number(check(200, body, None)) == number


# As in a confined worker, nothing can be imported any more.
CONFINED = """
import sys
from session_worker.planfix.answer import check, task_number

sys.meta_path.clear()
for body in (b"\\xef\\xbb\\xbf{}", b"{\\0}\\0", b"\\xff\\xfe{\\0}\\0", b"\\0\\0\\0{"):
    check(200, body, None)
print(task_number(check(200, b'\\xef\\xbb\\xbf{"data":{"number":5}}', None)))
"""


def test_every_encoding_is_read_without_another_module() -> None:
    """A byte order mark does no harm where a decoder for it could not be imported."""
    run = subprocess.run(
        [sys.executable, "-c", CONFINED], capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("5\n", "")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b'{"error":"Invalid token"}', PlanfixUnauthorized),
        (200, b'{"error":"Invalid token"}', PlanfixUnauthorized),
        (400, b'{ error: "Invalid token" }', PlanfixRejected),
        (400, b'{"error":"Invalid parameters"}', PlanfixRejected),
        (200, b'{"error":"Invalid parameters"}', PlanfixRejected),
        (404, b"<html>", PlanfixRejected),
        (302, b"", PlanfixUnavailable),
        (429, b"", PlanfixUnavailable),
        (500, b"<html>", PlanfixUnavailable),
        (503, b"", PlanfixUnavailable),
        (502, b"", PlanfixAnswerLost),
        (504, b"", PlanfixAnswerLost),
    ],
)
def test_what_went_wrong_decides_what_follows(
    status: int, body: bytes, error: type[PlanfixError]
) -> None:
    """Each failure is told by what has to happen next."""
    with pytest.raises(error):
        check(status, body, None)


@pytest.mark.parametrize("start", ["[", '{"a":', '{"error":', '{"data":', '{"error":[', "[[1,2],"])
def test_no_depth_is_a_surprise(start: str) -> None:
    """However deep an answer goes, it is data or one of our errors."""
    closing = "".join({"[": "]", "{": "}"}.get(char, "") for char in reversed(start))
    for depth in (100, *range(800, 1000, 10), 2000, 10_000):
        closed = start * depth + "1" + closing * depth
        for body in (start * depth, closed, json.dumps({"data": closed})):
            for status in (200, 400):
                with suppress(PlanfixError):
                    check(status, body.encode(), None)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, PlanfixAnswerLost),
        (400, PlanfixAnswerLost),
        (401, PlanfixUnauthorized),
        (500, PlanfixUnavailable),
        (302, PlanfixUnavailable),
        (502, PlanfixAnswerLost),
    ],
)
def test_answer_that_can_not_be_read_is_told_by_its_status(
    status: int, error: type[PlanfixError], number: str
) -> None:
    """What the status leaves open is unknown: nothing is given up because of such an answer."""
    with pytest.raises(error):
        check(status, f'{{"data":{{"number":{number}}}}}'.encode(), None)


@pytest.mark.parametrize(
    "repeated",
    [
        json.dumps({"error": f"can't take {TEXT} of {TOKEN}"}),
        json.dumps({"error": {"message": TEXT, "planfix_token": TOKEN}}, ensure_ascii=False),
        urlencode({"message": TEXT, "planfix_token": TOKEN}),
        f"<p>{html.escape(TEXT, quote=False)}</p><b>{TOKEN}</b>",
        f"{TOKEN} {TEXT.partition(chr(10))[0]}<br>{TEXT.partition(chr(10))[2]}",
        "x" * (LONGEST_DETAIL - 10) + TEXT,
        f"not taken: {TEXT[:20]}[...]{TEXT[-15:]}",
        TEXT * 100,
    ],
)
def test_what_a_complaint_repeats_is_not_kept(repeated: str) -> None:
    """Neither the key nor the message are found in the reason."""
    form = [("chatId", "380_77"), ("message", TEXT), ("planfix_token", TOKEN)]

    with pytest.raises(PlanfixRejected) as error:
        check(400, repeated.encode(), None, form)

    said = str(error.value)
    assert [word for word in (TOKEN, *re.findall(r"\w{4,}", TEXT)) if word in said] == []


def test_what_a_complaint_is_about_is_kept() -> None:
    """Ids of chats and messages stay in the reason: somebody has to look for them."""
    with pytest.raises(PlanfixRejected, match="chat 380_77 is closed"):
        check(400, b"chat 380_77 is closed", None, [("chatId", "380_77"), ("message", "ch")])


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_is_a_surprise(status: int, body: bytes) -> None:
    """Whatever comes is data or one of our errors."""
    try:
        outcome: object = check(status, body, None)
    except PlanfixError as error:
        outcome = error

    assert len(str(outcome)) < 400


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("-5", 0.0),
        ("Mon, 04 May 2026 12:01:00 GMT", 60.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("1e999", None),
        ("-inf", None),
        ("nan", None),
        ("Mon, 04 May 99999999999999999999 12:01:00 GMT", None),
        ("Mon, 04 May 2026 12:01:00 +99999999999999999999", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of the header are understood, nonsense is not."""
    assert seconds_to_wait(header, NOW) == seconds
