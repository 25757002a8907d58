"""What a TeamFlame workspace is made of, as its control call describes it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

COLUMNS = ("Сделать", "В работе", "Готово", "Закрыто")  # noqa: RUF001 - the service's own words
TOKEN_LIFETIME = 300_000  # seconds, as in every access token that has been seen


class Dialect(StrEnum):
    """The paths that the service answers: `/task/…`, or `/tasks/…` with a version header."""

    V2023 = "v2023"
    V2024 = "v2024"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonSettings(_Body):
    """Somebody who may sign in."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    password: str = Field(min_length=1)
    first_name: str = ""
    last_name: str = ""


class CommentSettings(_Body):
    """A comment that is there from the start."""

    by: str
    text: str


class TaskSettings(_Body):
    """A task that is there from the start; without a column it is in the first one."""

    name: str
    column: str | None = None
    description: str = ""
    priority: str = "none"
    by: str | None = None
    assignees: tuple[str, ...] = ()
    start: str | None = None
    due: str | None = None
    comments: tuple[CommentSettings, ...] = ()


class BoardSettings(_Body):
    """A board; the last of the default columns is closed."""

    name: str
    columns: tuple[str, ...] = COLUMNS
    tasks: tuple[TaskSettings, ...] = ()


class ProjectSettings(_Body):
    """A project with its boards."""

    name: str
    key: str = Field("TF", pattern=r"^[A-Z]{2,5}$")
    boards: tuple[BoardSettings, ...] = ()


class SpaceSettings(_Body):
    """A space; everybody is in it unless `people` names some."""

    name: str
    people: tuple[str, ...] | None = None
    projects: tuple[ProjectSettings, ...] = ()


class WorkspaceSettings(_Body):
    """A whole TeamFlame."""

    profile: Dialect = Dialect.V2023
    token_lifetime: float = Field(TOKEN_LIFETIME, gt=0)
    people: tuple[PersonSettings, ...] = ()
    spaces: tuple[SpaceSettings, ...] = ()
