"""The service's JSON becomes values, however much of it is missing or strange."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from teamflame.errors import Rejected
from teamflame.service import parser
from teamflame.watching.snapshot import compare
from teamflame.web.models import TaskAnswer, TaskBody

NOW = datetime(2026, 12, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "users", "columnId", "tasks", "comments", "endDate"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_whole_task() -> None:
    """A task has its texts as text, its people by their names, and its dates with a time zone."""
    found = parser.task(
        {
            "id": "t1",
            "name": " Two \n lines ",
            "description": "<p>Long</p>",
            "columnId": None,
            "column": [{"id": "c1", "name": "To do"}],
            "users": [{"id": "u1", "firstName": "Anna", "lastName": "B"}, {"name": "no id"}],
            "endDate": "2026-12-01T12:00:00.000Z",
            "startDate": "2026-12-01",
            "comments": [{"text": "<b>Hi</b>", "userName": "Boris"}],
        }
    )

    assert (found.title, found.description, found.column_id) == ("Two lines", "Long", "c1")
    assert [person.name for person in found.assignees] == ["Anna B"]
    assert found.due == datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert found.start == datetime(2026, 12, 1, tzinfo=UTC)
    assert found.comments is not None
    assert [(each.author, each.text) for each in found.comments] == [("Boris", "Hi")]


@given(JSON)
def test_strange_answers(answer: Any) -> None:
    """Whatever the service answers becomes values or a refusal, never another error."""
    for read in (parser.task, parser.column, parser.board, parser.person, parser.space):
        assert isinstance(parser.read_list(answer, read), tuple)
        try:
            parser.read_one(answer, read)
        except Rejected:
            continue
    try:
        parser.access(answer, NOW)
    except Rejected:
        return


@pytest.mark.parametrize(
    ("lifetime", "good_for"),
    [(300_000, 296_400), (7200, 3600), (1800, 900), (None, 1800), (-1, 1800), (True, 1800)],
)
def test_access_is_used_until_shortly_before_its_end(lifetime: object, good_for: float) -> None:
    """A token is renewed an hour before its end, one that lives shortly after half of its life."""
    token = {"token": "a", "expiresIn": lifetime}
    answer = {
        "user": {"id": "u1"},
        "tokens": {"accessToken": token, "refreshToken": {"token": "r"}},
    }

    assert parser.access(answer, NOW).renew_at == NOW + timedelta(seconds=good_for)


def test_moments_are_written_as_the_service_writes_them() -> None:
    """A moment is written in UTC with milliseconds and a Z, and read back as the same moment."""
    there = datetime(2026, 12, 1, 14, 30, tzinfo=UTC)

    assert parser.write_moment(there) == "2026-12-01T14:30:00.000Z"
    assert parser.moment(parser.write_moment(there)) == there


@pytest.mark.parametrize("field", ["name", "description", "taskNumber", "priority"])
def test_texts_can_be_answered_and_stored(field: str) -> None:
    """Half of an emoji and NUL, which JSON can name, spoil no answer in which they stand."""
    found = parser.task({"id": "t\ud8001", field: "cut\ud83d\0", "columnId": "c\0"})

    answer = TaskAnswer.model_validate(found).model_dump_json()

    assert "cut\ufffd" in answer or field == "description"
    assert (found.id, found.column_id) == ("t\ufffd1", "c")
    assert "\0" not in f"{found}"


@pytest.mark.parametrize(
    "date",
    [
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"),
        *("9999-12-31T23:59:59-23:59", "1969-12-31T00:00:00Z"),
    ],
)
def test_dates_at_the_edge_of_the_calendar_are_none(date: str) -> None:
    """A due date to which no day can be added would stop the notifications of everybody on the board."""
    columns = [parser.column({"id": "c", "tasks": [{"id": "t", "name": "x", "endDate": date}]})]

    assert compare({}, columns, NOW).snapshot["t"].due is None
    with pytest.raises(ValidationError, match="1970"):
        TaskBody.model_validate({"title": "x", "column_id": "c", "due": date})
