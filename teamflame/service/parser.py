"""Reads the service's JSON into values; what is missing gets a default, what has no id is left out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from teamflame.errors import Rejected
from teamflame.service.markup import to_text
from teamflame.service.values import (
    Access,
    Board,
    Column,
    Comment,
    Person,
    Project,
    Space,
    Task,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")

# Further dates cannot be shown in every time zone, nor can hours be added to them.
FIRST_MOMENT, LAST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
MOST_READ = 5000  # tasks of a column, comments of a task, and whatever else comes in a list
_NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST_NAME = 500
_LONGEST_TEXT = 50_000
_RENEW_BEFORE = 3600.0  # seconds
_UNKNOWN_LIFETIME = 3600.0  # seconds
_LONGEST_LIFETIME = 366 * 24 * 3600.0


def read_list(answer: Any, read: Callable[[dict[str, Any]], Value]) -> tuple[Value, ...]:
    found = answer[:MOST_READ] if isinstance(answer, list) else []
    return tuple(read(item) for item in found if isinstance(item, dict) and _id(item))


async def read_long_list(answer: Any, read: Callable[[dict[str, Any]], Value]) -> tuple[Value, ...]:
    """Read a list in a thread: whoever may write on a board chooses how long its texts are.

    The event loop answers the beats of all workers.
    """
    return await asyncio.to_thread(read_list, answer, read)


def read_one(answer: Any, read: Callable[[dict[str, Any]], Value]) -> Value:
    if not isinstance(answer, dict) or not _id(answer):
        raise Rejected("TeamFlame's answer has no id")
    return read(answer)


def person(item: dict[str, Any]) -> Person:
    parts = (_name(item.get(key)) for key in ("firstName", "lastName"))
    full = " ".join(part for part in parts if part)
    email = _name(item.get("email"))
    return Person(_id(item), full or _name(item.get("name")) or email or "?", email)


def space(item: dict[str, Any]) -> Space:
    return Space(_id(item), _name(item.get("name")), _ids(item.get("users")))


def project(item: dict[str, Any]) -> Project:
    return Project(_id(item), _name(item.get("name")), _reference(item.get("space")))


def board(item: dict[str, Any]) -> Board:
    place = _reference(item.get("spaceId")) or _reference(item.get("space"))
    return Board(_id(item), _name(item.get("name")), _reference(item.get("projectId")), place)


def column(item: dict[str, Any]) -> Column:
    return Column(
        id=_id(item),
        name=_name(item.get("name")),
        board_id=_reference(item.get("boardId")),
        color=_name(item.get("color")),
        is_closed=item.get("isClose") is True,
        tasks=read_list(item.get("tasks"), task),
    )


def task(item: dict[str, Any]) -> Task:
    creator = item.get("creator")
    comments = item.get("comments")
    return Task(
        id=_id(item),
        title=_name(item.get("name")),
        column_id=_reference(item.get("columnId")) or _reference(item.get("column")),
        board_id=_reference(item.get("boardId")),
        project_id=_reference(item.get("projectId")),
        space_id=_reference(item.get("spaceId")),
        number=_name(item.get("taskNumber")),
        description=to_text(_text(item.get("description"))),
        priority=_name(item.get("priority")),
        assignees=_people(item.get("users")),
        creator=person(creator) if isinstance(creator, dict) else None,
        start=moment(item.get("startDate")),
        due=moment(item.get("endDate")),
        created=moment(item.get("createdAt")),
        updated=moment(item.get("updatedAt")),
        comments=read_comments(comments) if isinstance(comments, list) else None,
    )


def read_comments(found: list[Any]) -> tuple[Comment, ...]:
    """Read comments, the oldest first if all have a time; one without an id is known by its place."""
    items = [item for item in found[:MOST_READ] if isinstance(item, dict)]
    times = [moment(item.get("createdAt")) for item in items]
    if all(times):
        places = sorted(range(len(items)), key=lambda place: times[place] or _NEVER)
        items = [items[place] for place in places]
    return tuple(comment(item, place) for place, item in enumerate(items))


def comment(item: dict[str, Any], place: int = 0) -> Comment:
    return Comment(
        id=_id(item) or f"#{place}",
        author=_name(item.get("userName")) or "?",
        text=to_text(_text(item.get("text"))),
        created=moment(item.get("createdAt")),
    )


def access(answer: Any, now: datetime) -> Access:
    """Read what signing in and renewing give."""
    try:
        tokens = answer["tokens"]
        token, refresh = tokens["accessToken"], tokens["refreshToken"]
        return Access(
            token=str(token["token"]),
            renew_at=now + _good_for(token.get("expiresIn")),
            refresh=str(refresh["token"]),
            person=person(answer["user"]),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise Rejected("TeamFlame's answer has no tokens") from exc


def moment(value: Any) -> datetime | None:
    """Read a moment; one so early or so late that some time zone cannot show it is taken for none."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware if FIRST_MOMENT <= aware <= LAST_MOMENT else None


def write_moment(value: datetime | None) -> str | None:
    """Write a moment as the service does: UTC, milliseconds, Z."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _good_for(lifetime: Any) -> timedelta:
    """Choose how long to use an access token: until an hour before its end, or half of a short life."""
    seconds = _UNKNOWN_LIFETIME
    if not isinstance(lifetime, bool) and isinstance(lifetime, int | float) and lifetime > 0:
        seconds = min(float(lifetime), _LONGEST_LIFETIME)
    return timedelta(seconds=max(seconds - _RENEW_BEFORE, seconds / 2))


def _id(item: dict[str, Any]) -> str:
    return _text(item.get("id") or item.get("_id"))[:100]


def _reference(value: Any) -> str:
    """Read an id that may come bare, as an object, or as a list with one object."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        return _id(value)
    return _text(value)[:100]


def _people(value: Any) -> tuple[Person, ...]:
    """Read people who come as objects or only as ids; the next change of the task would remove who is left out here."""
    found = value if isinstance(value, list) else []
    return read_list([{"id": each} if isinstance(each, str) else each for each in found], person)


def _ids(value: Any) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(key for key in map(_reference, found) if key)


def _name(value: Any) -> str:
    return " ".join(_text(value)[:_LONGEST_NAME].split())


def _text(value: Any) -> str:
    """Read a text, without NUL; half of an emoji, which JSON can name, is replaced."""
    if not isinstance(value, str):
        return ""
    text = value[:_LONGEST_TEXT].replace("\0", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
