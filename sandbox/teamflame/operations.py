"""The calls of the service in both dialects: which address means what, and what it answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandbox.teamflame.errors import ServiceError
from sandbox.teamflame.settings import Dialect
from sandbox.teamflame.views import show_columns, show_task, show_tasks_of, show_tasks_with_comments

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.teamflame.content import Content
    from sandbox.teamflame.records import Json, Person

VERSION_HEADER = "X-Api-Version"


class ServiceCall(NamedTuple):
    """A call of a person who is signed in: the id in its address, and its fields."""

    content: Content
    person: Person
    key: str
    fields: Json


def own_profile(call: ServiceCall) -> object:
    return call.person.as_json()


def get_user(call: ServiceCall) -> object:
    together = [s for s in call.content.spaces_of(call.person) if call.key in s.members]
    if not together:
        raise ServiceError(404, "Not found")
    return call.content.people[call.key].as_json()


def list_spaces(call: ServiceCall) -> object:
    return [space.as_json() for space in call.content.spaces_of(call.person)]


def get_space(call: ServiceCall) -> object:
    return call.content.open(call.content.spaces, call.key, call.person).as_json()


def list_people(call: ServiceCall) -> object:
    space = call.content.open(call.content.spaces, call.key, call.person)
    return [call.content.people[key].as_json() for key in space.members]


def create_space(call: ServiceCall) -> object:
    return call.content.add_space(call.person, call.fields.get("name")).as_json()


def list_projects(call: ServiceCall) -> object:
    space = call.content.open(call.content.spaces, call.key, call.person)
    return [each.as_json() for each in call.content.projects.values() if each.space == space.id]


def get_project(call: ServiceCall) -> object:
    return call.content.open(call.content.projects, call.key, call.person).as_json()


def create_project(call: ServiceCall) -> object:
    space, name, key = (call.fields.get(each) for each in ("space", "name", "projectKey"))
    return call.content.add_project(call.person, space, name, key).as_json()


def list_boards(call: ServiceCall) -> object:
    project = call.content.open(call.content.projects, call.key, call.person)
    return [each.as_json() for each in call.content.boards.values() if each.project == project.id]


def list_own_boards(call: ServiceCall) -> object:
    spaces = {space.id for space in call.content.spaces_of(call.person)}
    return [each.as_json() for each in call.content.boards.values() if each.space in spaces]


def get_board(call: ServiceCall) -> object:
    return call.content.open(call.content.boards, call.key, call.person).as_json()


def create_board(call: ServiceCall) -> object:
    project, name = call.fields.get("projectId"), call.fields.get("name")
    return call.content.add_board(call.person, project, name).as_json()


def list_columns(call: ServiceCall) -> object:
    board = call.content.open(call.content.boards, call.key, call.person)
    return show_columns(call.content, board, with_tasks=False)


def list_columns_and_tasks(call: ServiceCall) -> object:
    board = call.content.open(call.content.boards, call.key, call.person)
    return show_columns(call.content, board, with_tasks=True)


def create_column(call: ServiceCall) -> object:
    board, name = call.fields.get("boardId"), call.fields.get("name")
    return call.content.add_column(call.person, board, name).as_json()


def get_task(call: ServiceCall) -> object:
    return show_task(call.content, call.content.open(call.content.tasks, call.key, call.person))


def list_own_tasks(call: ServiceCall) -> object:
    own = [task for task in call.content.tasks.values() if call.person.id in task.assignees]
    return [show_task(call.content, task) for task in own]


def list_tasks_of_column(call: ServiceCall) -> object:
    column = call.content.open(call.content.columns, call.key, call.person)
    return show_tasks_with_comments(call.content, column)


def list_tasks_of_project(call: ServiceCall) -> object:
    project = call.content.open(call.content.projects, call.key, call.person)
    columns = [each for each in call.content.columns.values() if each.project == project.id]
    return [task for column in columns for task in show_tasks_of(call.content, column)]


def create_task(call: ServiceCall) -> object:
    return show_task(call.content, call.content.add_task(call.person, call.fields))


def change_column(call: ServiceCall) -> object:
    task = call.content.open(call.content.tasks, call.key, call.person)
    call.content.move_task(call.person, task, call.fields.get("columnId"))
    return show_task(call.content, task)


def update_task(call: ServiceCall) -> object:
    task = call.content.open(call.content.tasks, call.key, call.person)
    call.content.change_task(call.person, task, call.fields)
    return show_task(call.content, task)


def delete_task(call: ServiceCall) -> object:
    task = call.content.open(call.content.tasks, call.key, call.person)
    del call.content.tasks[task.id]
    return {"status": True, "spaceId": task.space, "projectId": task.project, "folderId": None}


def create_comment(call: ServiceCall) -> object:
    task, text = call.fields.get("task"), call.fields.get("text")
    return call.content.add_comment(call.person, task, text).as_json()


class Route(NamedTuple):
    """An address of the first dialect, with {} in the place of an id."""

    method: str
    path: str
    operation: Callable[[ServiceCall], object]


ROUTES = (
    Route("GET", "user/me", own_profile),
    Route("GET", "user/{}", get_user),
    Route("GET", "space/spacesByUserId", list_spaces),
    Route("GET", "space/{}/users", list_people),
    Route("GET", "space/{}", get_space),
    Route("POST", "space/create", create_space),
    Route("GET", "project/projectsBySpace/{}", list_projects),
    Route("GET", "project/{}", get_project),
    Route("POST", "project/create", create_project),
    Route("GET", "board/boardsByProject/{}", list_boards),
    Route("GET", "board/boardsByUser", list_own_boards),
    Route("GET", "board/{}", get_board),
    Route("POST", "board/create", create_board),
    Route("GET", "column/getByBoard/{}", list_columns),
    Route("GET", "column/getByBoardOneLayer/{}", list_columns_and_tasks),
    Route("POST", "column/create", create_column),
    Route("GET", "task/my", list_own_tasks),
    Route("GET", "task/getTasksByColumn/{}", list_tasks_of_column),
    Route("GET", "task/getTasksByProject/{}", list_tasks_of_project),
    Route("GET", "task/{}", get_task),
    Route("POST", "task/create", create_task),
    Route("POST", "task/change-column/{}", change_column),
    Route("POST", "task/update/{}", update_task),
    Route("DELETE", "task/delete/{}", delete_task),
    Route("POST", "comment/create", create_comment),
)


class Found(NamedTuple):
    """What an address means."""

    name: str
    operation: Callable[[ServiceCall], object]
    key: str


def find_operation(dialect: Dialect, method: str, path: str, version: str | None) -> Found:
    """Find what the workspace would do; the second dialect also wants its version header."""
    for route in ROUTES:
        found = re.fullmatch(_pattern(dialect, route.path), path)
        if found and route.method == method:
            if dialect is Dialect.V2024 and version != "1":
                raise ServiceError(400, f"{VERSION_HEADER} is missing")
            key = found.groups()[0] if found.groups() else ""
            return Found(route.operation.__name__, route.operation, key)
    raise ServiceError(404, f"Cannot {method} /{path}")


def _pattern(dialect: Dialect, path: str) -> str:
    subject, _, rest = path.partition("/")
    plural = "s" if dialect is Dialect.V2024 else ""
    return f"{subject}{plural}/{rest}".replace("{}", "([0-9a-f]{24})")
