"""The bodies and answers of the service over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, StringConstraints

from teamflame.service.parser import FIRST_MOMENT, LAST_MOMENT
from teamflame.store.choices import Kind
from teamflame.web.admission import Answer, Body


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL")
    return text


def _in_calendar(moment: datetime) -> datetime:
    if not FIRST_MOMENT <= moment <= LAST_MOMENT:
        raise ValueError("must be between the years 1970 and 9998")
    return moment


_NAME = StringConstraints(strip_whitespace=True, min_length=1, max_length=500)
_WORDS = StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)

Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,100}$")]
Name = Annotated[str, _NAME, AfterValidator(_without_nul)]
Words = Annotated[str, _WORDS, AfterValidator(_without_nul)]
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_without_nul)]
Keys = Annotated[tuple[Key, ...], Field(max_length=100)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]{1,200}@[^@\s\x00]{1,200}$")]
Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
Priority = Literal["none", "low", "middle", "high"]


class OfSpace(Body):
    """Selects what is in a space."""

    space_id: Key


class OfProject(Body):
    """Selects what is in a project."""

    project_id: Key


class SignInBody(Body):
    """The credentials of an account at TeamFlame."""

    email: Email
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)]


class BoardBody(Body):
    """A new board."""

    name: Name
    project_id: Key
    space_id: Key


class ColumnBody(Body):
    """A new column at the end of a board."""

    name: Name
    board_id: Key


class TaskBody(Body):
    """A new task at the end of a column; the board may be left out."""

    title: Name
    column_id: Key
    board_id: Key | None = None
    description: Text = ""
    assignee_ids: Keys = ()
    start: Moment | None = None
    due: Moment | None = None


class TaskChangesBody(Body):
    """Changes of a task; what is left out stays, and null removes a date.

    `updated` is the time of the newest change that the caller has seen.
    """

    title: Name | None = None
    description: Text | None = None
    assignee_ids: Keys | None = None
    start: Moment | None = None
    due: Moment | None = None
    priority: Priority | None = None
    updated: Moment | None = None


class MoveBody(Body):
    """The column to which a task goes, and the one in which the caller saw it."""

    column_id: Key
    from_column_id: Key | None = None


class CommentBody(Body):
    """A new comment."""

    task_id: Key
    text: Words


class NotificationsBody(Body):
    """Which kinds of events of a board the caller is notified of; kinds that are left out stay as they are."""

    kinds: dict[Kind, bool]


class PersonAnswer(Answer):
    """Somebody with an account at TeamFlame."""

    id: str
    name: str
    email: str = ""


class PeopleAnswer(Answer):
    """Who may be assigned."""

    people: list[PersonAnswer]


class AccountAnswer(Answer):
    """The account that the caller has signed in to."""

    id: str
    name: str
    email: str


class UserAnswer(Answer):
    """The Telegram user who calls."""

    id: int
    first_name: str
    language: str


class SelectionAnswer(Answer):
    """The board that the caller has chosen."""

    space_id: str
    project_id: str
    board_id: str


class LaunchAnswer(Answer):
    """What the Mini App has to know at its start."""

    token: str
    expires_at: datetime
    user: UserAnswer | None
    account: AccountAnswer | None
    selection: SelectionAnswer | None
    start_param: str | None


class SignInAnswer(Answer):
    """The account, and for callers from outside Telegram a token for their next calls."""

    account: AccountAnswer
    token: str | None = None
    expires_at: datetime | None = None


class NothingAnswer(Answer):
    """Done."""


class SpaceAnswer(Answer):
    """A space."""

    id: str
    name: str


class SpacesAnswer(Answer):
    """The caller's spaces."""

    spaces: list[SpaceAnswer]


class ProjectAnswer(Answer):
    """A project."""

    id: str
    name: str
    space_id: str


class ProjectsAnswer(Answer):
    """The projects of a space."""

    projects: list[ProjectAnswer]


class BoardAnswer(Answer):
    """A board without its columns."""

    id: str
    name: str
    project_id: str
    space_id: str


class BoardsAnswer(Answer):
    """The boards of a project."""

    boards: list[BoardAnswer]


class TaskAnswer(Answer):
    """A task as a card shows it; texts are plain."""

    id: str
    number: str
    title: str
    priority: str
    column_id: str
    board_id: str
    assignees: list[PersonAnswer]
    start: datetime | None
    due: datetime | None
    created: datetime | None
    updated: datetime | None


class CommentAnswer(Answer):
    """A comment; its text is plain."""

    id: str
    author: str
    text: str
    created: datetime | None


class WholeTaskAnswer(TaskAnswer):
    """A task with its description and comments."""

    description: str
    comments: list[CommentAnswer]


class TasksAnswer(Answer):
    """The caller's tasks."""

    tasks: list[TaskAnswer]


class ColumnAnswer(Answer):
    """A column without its tasks."""

    id: str
    name: str
    board_id: str
    color: str
    is_closed: bool


class FullColumnAnswer(ColumnAnswer):
    """A column with its tasks."""

    tasks: list[TaskAnswer]


class FullBoardAnswer(BoardAnswer):
    """A board with its columns, and who may be assigned."""

    columns: list[FullColumnAnswer]
    people: list[PersonAnswer]


class SelectedAnswer(Answer):
    """The chosen board, which the bot uses too."""

    selection: SelectionAnswer


class NotificationsAnswer(Answer):
    """Which kinds of events of a board the caller is notified of."""

    kinds: dict[Kind, bool]
