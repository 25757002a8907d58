"""The service's JSON becomes values, however much of it is missing or strange."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from teamflame.errors import Rejected
from teamflame.service import parser
from teamflame.service.client import ServiceClient
from teamflame.service.service import Columns
from teamflame.service.tasks import Comments, Tasks
from teamflame.watching.snapshot import compare
from teamflame.web.models import TaskAnswer, TaskBody

if TYPE_CHECKING:
    from teamflame.service.endpoints import Call

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


def test_assignees_may_be_bare_ids() -> None:
    """Whoever is written as an id may come back as an id; a change of the task must not remove them."""
    found = parser.task({"id": "t1", "users": ["u1", {"id": "u2", "name": "Boris"}, 5, ""]})

    assert [(each.id, each.name) for each in found.assignees] == [("u1", "?"), ("u2", "Boris")]


def test_newest_comments_may_come_first() -> None:
    """Whoever reads the comments, or is told of those that are new, has them in their order."""
    old = {"text": "old", "createdAt": "2026-12-01T10:00:00.000Z"}
    new = {"text": "new", "createdAt": "2026-12-01T11:30:00+02:00"}
    newest = {"text": "newest", "createdAt": "2026-12-01T11:00:00.000Z"}

    found = [parser.read_comments(each) for each in ([newest, old, new], [newest, {"text": "?"}])]

    assert [[(each.id, each.text) for each in comments] for comments in found] == [
        [("#0", "new"), ("#1", "old"), ("#2", "newest")],
        [("#0", "newest"), ("#1", "?")],
    ]


class _Terse(ServiceClient):
    """A TeamFlame that always answers the same."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def call(self, call: Call, key: str = "", **given: Any) -> Any:
        return self._answer


async def test_task_in_a_list_is_where_it_is_listed() -> None:
    """A board and a column that the service leaves out of their own tasks are known all the same."""
    tasks = [{"id": "t1"}, {"id": "t2", "columnId": "c9"}]

    [column] = await Columns(_Terse([{"id": "c1", "tasks": tasks}])).list("token", "b1")
    listed = await Tasks(_Terse(tasks)).of_column("token", "c1")

    assert column.board_id == "b1"
    places = [(each.column_id, each.board_id) for each in column.tasks]
    assert places == [("c1", "b1"), ("c9", "b1")]
    assert [each.column_id for each in listed] == ["c1", "c9"]


@pytest.mark.parametrize("answer", [None, {}, {"userName": "Boris"}, {"text": "<p>Hi</p>"}])
async def test_comment_is_created_whatever_the_answer_says(answer: Any) -> None:
    """An answer without an id is no refusal: whoever got an error would comment once more."""
    comments = Comments(_Terse(answer))

    made = [await comments.create("token", "t1", "Hi", "Boris") for _ in range(2)]

    assert [(each.author, each.text) for each in made] == [("Boris", "Hi")] * 2
    assert made[0].id != made[1].id


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


async def test_board_without_end_is_read_to_its_limit() -> None:
    """Whoever may write on a board chooses how much is on it, and all numbers are served beside it."""
    tasks = [{"id": f"t{place}", "name": "x"} for place in range(2 * parser.MOST_READ)]
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    beating = asyncio.create_task(beat())
    (column,) = await parser.read_long_list([{"id": "c", "tasks": tasks}], parser.column)
    beating.cancel()

    assert len(column.tasks) == parser.MOST_READ
    assert beats > 1, "the event loop waited for the parser"
