"""What Planfix's REST API answers, and what follows from it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from session_worker.planfix.rest import (
    LARGEST_ANSWER,
    PlanfixRest,
    RestFailed,
    answer_of,
    comment_of,
    person_of,
    task_of,
)
from tests.fakes.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

GZIP = ("Content-Encoding: gzip",)
LIMIT = "Rest API billing - rate limit exceeded, remaining:0, timeToReset:57283"


@pytest.mark.parametrize(
    ("status", "body", "headers", "is_final", "rest"),
    [
        (200, {"result": "fail", "code": 1, "error": LIMIT}, {}, False, 57283.0),
        (403, {"result": "fail", "code": 22, "error": "Forbidden"}, {}, False, 60.0),
        (429, {"result": "fail"}, {"Retry-After": "7"}, False, 7.0),
        (400, {"result": "fail", "code": 1000, "error": "Task not found"}, {}, True, None),
        (401, {"result": "fail", "code": 1, "error": "Invalid token"}, {}, True, None),
        (500, {"result": "fail", "code": 30, "error": "Rest API error"}, {}, False, None),
        (502, "<html>", {}, False, None),
        (200, ["success"], {}, True, None),
    ],
)
def test_refusals_are_told_apart(
    status: int, body: object, headers: dict[str, str], is_final: bool, rest: float | None
) -> None:
    """What is over for good, what passes, and for how long Planfix wants no calls."""
    response = (
        httpx.Response(status, text=body)
        if isinstance(body, str)
        else httpx.Response(status, json=body, headers=headers)
    )

    with pytest.raises(RestFailed) as failed:
        answer_of(response)

    assert (failed.value.is_final, failed.value.rest) == (is_final, rest)


def test_fields_of_any_kind_are_read() -> None:
    """What Planfix leaves out or gives as something else is empty, and never an error."""
    task = task_of(
        {
            "name": "Roof",
            "status": {"id": 1, "name": "In work"},
            "assignees": {"users": [{"id": "user:5", "name": "Olena"}, None], "groups": []},
            "endDateTime": {"date": "31-12-2026", "time": "10:00", "datetime": "x"},
        }
    )
    assert task.assignees == (("user:5", "Olena"),)
    assert (task.status, task.due, task.author) == ("In work", "31-12-2026 10:00", "")
    assert task_of({"assignees": [], "endDateTime": None, "status": "odd"}).assignees == ()
    person = person_of({"name": "Olena", "telegramId": 123, "phones": [{"number": "+380"}, {}]})
    assert person == ("Olena", "123", "", ("+380", ""))
    comment = comment_of({"id": 7, "isHidden": True, "owner": None, "recipients": {"users": None}})
    assert (comment.id, comment.is_hidden, comment.author_id, comment.notified) == (7, True, "", ())
    with pytest.raises(RestFailed):
        comment_of(None)
    assert comment_of({"id": "8"}).id == 8
    assert comment_of({"id": "odd"}).id == 0


@pytest.fixture
async def rest() -> AsyncIterator[tuple[FileServer, PlanfixRest]]:
    async with FileServer() as server:
        yield server, PlanfixRest(f"{server.url}/rest", "key", may_be_private=True, seconds=60)


@pytest.mark.parametrize(
    ("pack", "headers"), [(bytes, ()), (gzip.compress, GZIP)], ids=["plain", "compressed"]
)
async def test_long_answer_is_read(
    rest: tuple[FileServer, PlanfixRest],
    pack: Callable[[bytes], bytes],
    headers: tuple[str, ...],
) -> None:
    """Twenty comments with long texts are read as they are, even from a proxy that compresses."""
    server, planfix = rest
    comments = [{"id": number, "description": "a" * 40_000} for number in range(20)]
    body = json.dumps({"result": "success", "comments": comments}).encode()
    server.offer("rest/task/5/comments/list", Answer(pack(body), headers=headers))

    found = await planfix.comments("5")

    assert [each.id for each in found] == list(range(20))


@pytest.mark.parametrize(
    ("answer", "is_final"),
    [
        (Answer(b" " * LARGEST_ANSWER + b"{}"), True),
        (Answer(gzip.compress(bytes(2 * LARGEST_ANSWER)), headers=GZIP), True),
        (Answer(b"{}", headers=("Content-Encoding: br",)), True),
        (Answer(b"{}", 502, headers=("Content-Encoding: br",)), False),
    ],
    ids=["too long", "too long when unpacked", "packed in another way", "a proxy's error"],
)
async def test_answer_that_would_fill_the_memory_is_not_read(
    rest: tuple[FileServer, PlanfixRest], answer: Answer, is_final: bool
) -> None:
    """Neither a body without end nor one that expands is taken in."""
    server, planfix = rest
    server.offer("rest/task/5/comments/list", answer)

    with pytest.raises(RestFailed) as failed:
        await planfix.comments("5")

    assert failed.value.is_final is is_final
    assert "Accept-Encoding: identity" in server.heads[0]


@pytest.mark.parametrize(
    "number", ["", "5/../contact/9", "..", "5?x=", "5#", "-5", "\u0665", "9" * 40]
)
async def test_nothing_but_a_number_becomes_a_part_of_an_address(number: str) -> None:
    """What is no number is refused before anybody is called, whoever has passed it on."""
    rest = PlanfixRest("http://127.0.0.1:9", "key", may_be_private=True, seconds=1.0)

    for call in (
        rest.task(number),
        rest.comment(number),
        rest.comments(number),
        rest.person(f"user:{number}"),
        rest.add_comment(number, "x"),
        rest.call_webhook(number, "x"),
    ):
        with pytest.raises(RestFailed, match="it has no number") as failed:
            await call
        assert failed.value.is_final
