"""The objects of the service as its answers show them, each with what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.teamflame.content import Content
    from sandbox.teamflame.records import Board, Column, Json, Task


def show_task(content: Content, task: Task) -> Json:
    """Show a task without its comments, which the service gives only with the tasks of a column."""
    return {
        "id": task.id,
        "name": task.name,
        "description": task.description,
        "priority": task.priority,
        "status": list(task.status),
        "columnId": task.column,
        "column": [content.columns[task.column].as_json()],
        "users": [content.people[key].as_json() for key in task.assignees],
        "creator": task.creator.as_json(),
        "spectators": [],
        "files": [],
        "dependenceOf": [],
        "subTasks": [],
        "projectId": task.project,
        "boardId": task.board,
        "spaceId": task.space,
        "taskNumber": task.number,
        "startDate": task.start_date,
        "endDate": task.end_date,
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
    }


def show_tasks_of(content: Content, column: Column) -> list[Json]:
    return [show_task(content, task) for task in content.tasks.values() if task.column == column.id]


def show_tasks_with_comments(content: Content, column: Column) -> list[Json]:
    """Show the tasks of a column with their comments."""
    found = [task for task in content.tasks.values() if task.column == column.id]
    return [
        {**show_task(content, task), "comments": [each.as_json() for each in task.comments]}
        for task in found
    ]


def show_columns(content: Content, board: Board, *, with_tasks: bool) -> list[Json]:
    columns = [content.columns[key] for key in board.columns]
    return [
        {**each.as_json(), "tasks": show_tasks_of(content, each) if with_tasks else []}
        for each in columns
    ]


def show_tree(content: Content) -> list[Json]:
    """Show all that a test needs to know, with the ids."""
    return [
        {
            "id": space.id,
            "name": space.name,
            "people": [content.people[key].email for key in space.members],
            "projects": [
                {
                    "id": project.id,
                    "name": project.name,
                    "boards": [
                        _show_board(content, board)
                        for board in content.boards.values()
                        if board.project == project.id
                    ],
                }
                for project in content.projects.values()
                if project.space == space.id
            ],
        }
        for space in content.spaces.values()
    ]


def _show_board(content: Content, board: Board) -> Json:
    columns = [content.columns[key] for key in board.columns]
    return {
        "id": board.id,
        "name": board.name,
        "columns": [
            {
                "id": column.id,
                "name": column.name,
                "tasks": [
                    {
                        "id": task["id"],
                        "name": task["name"],
                        "description": task["description"],
                        "assignees": [user["email"] for user in task["users"]],
                        "start": task["startDate"],
                        "due": task["endDate"],
                        "comments": [each["text"] for each in task["comments"]],
                    }
                    for task in show_tasks_with_comments(content, column)
                ],
            }
            for column in columns
        ],
    }
