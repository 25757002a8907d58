"""The addresses of the service in both of its dialects, in one table."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Dialect(StrEnum):
    """How the service is addressed; only the settings know which dialect it speaks."""

    V2023 = "v2023"
    V2024 = "v2024"


class Host(StrEnum):
    """The two hosts of the service."""

    AUTH = "auth"
    API = "api"


class Call(StrEnum):
    """What the service can be asked for."""

    SIGN_IN = "sign_in"
    REFRESH = "refresh"
    ME = "me"
    USER = "user"
    SPACES = "spaces"
    SPACE = "space"
    SPACE_PEOPLE = "space_people"
    PROJECTS = "projects"
    PROJECT = "project"
    CREATE_PROJECT = "create_project"
    BOARDS = "boards"
    BOARD = "board"
    CREATE_BOARD = "create_board"
    COLUMNS = "columns"
    CREATE_COLUMN = "create_column"
    TASK = "task"
    MY_TASKS = "my_tasks"
    TASKS_OF_COLUMN = "tasks_of_column"
    CREATE_TASK = "create_task"
    MOVE_TASK = "move_task"
    UPDATE_TASK = "update_task"
    CREATE_COMMENT = "create_comment"


class Endpoint(NamedTuple):
    """One address; {} stands for an id."""

    host: Host
    method: str
    path: str


# Method, subject and rest of each address; the second dialect has the subjects in the plural.
_PATHS: Final[Mapping[Call, tuple[str, str, str]]] = {
    Call.ME: ("GET", "user", "me"),
    Call.USER: ("GET", "user", "{}"),
    Call.SPACES: ("GET", "space", "spacesByUserId"),
    Call.SPACE: ("GET", "space", "{}"),
    Call.SPACE_PEOPLE: ("GET", "space", "{}/users"),
    Call.PROJECTS: ("GET", "project", "projectsBySpace/{}"),
    Call.PROJECT: ("GET", "project", "{}"),
    Call.CREATE_PROJECT: ("POST", "project", "create"),
    Call.BOARDS: ("GET", "board", "boardsByProject/{}"),
    Call.BOARD: ("GET", "board", "{}"),
    Call.CREATE_BOARD: ("POST", "board", "create"),
    Call.COLUMNS: ("GET", "column", "getByBoardOneLayer/{}"),
    Call.CREATE_COLUMN: ("POST", "column", "create"),
    Call.TASK: ("GET", "task", "{}"),
    Call.MY_TASKS: ("GET", "task", "my"),
    Call.TASKS_OF_COLUMN: ("GET", "task", "getTasksByColumn/{}"),
    Call.CREATE_TASK: ("POST", "task", "create"),
    Call.MOVE_TASK: ("POST", "task", "change-column/{}"),
    Call.UPDATE_TASK: ("POST", "task", "update/{}"),
    Call.CREATE_COMMENT: ("POST", "comment", "create"),
}
_AUTH: Final[Mapping[Call, Endpoint]] = {
    Call.SIGN_IN: Endpoint(Host.AUTH, "POST", "auth/sign-in"),
    Call.REFRESH: Endpoint(Host.AUTH, "POST", "auth/refresh-token"),
}
_HEADERS: Final[Mapping[Dialect, Mapping[str, str]]] = {
    Dialect.V2023: {},
    Dialect.V2024: {"X-Api-Version": "1"},
}


def endpoint_of(dialect: Dialect, call: Call) -> Endpoint:
    if call in _AUTH:
        return _AUTH[call]
    method, subject, rest = _PATHS[call]
    plural = "s" if dialect is Dialect.V2024 else ""
    return Endpoint(Host.API, method, f"{subject}{plural}/{rest}")


def headers_of(dialect: Dialect) -> Mapping[str, str]:
    return _HEADERS[dialect]
