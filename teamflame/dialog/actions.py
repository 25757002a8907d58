"""What a button of the bot does; the chat knows only an opaque id of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from teamflame.store.choices import Kind


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShowHome(_Action):
    """Show the first screen."""

    do: Literal["home"] = "home"


class ShowSpaces(_Action):
    """List the spaces."""

    do: Literal["spaces"] = "spaces"
    page: int = 0


class ShowProjects(_Action):
    """List the projects of a space."""

    do: Literal["projects"] = "projects"
    space: str
    name: str
    page: int = 0


class ShowBoards(_Action):
    """List the boards of a project."""

    do: Literal["boards"] = "boards"
    space: str
    space_name: str
    project: str
    name: str
    page: int = 0


class ChooseBoard(_Action):
    """Remember a board."""

    do: Literal["choose"] = "choose"
    board: str


class ShowOwnTasks(_Action):
    """List the person's own tasks."""

    do: Literal["my"] = "my"


class ShowSettings(_Action):
    """Show the board and the notifications."""

    do: Literal["settings"] = "settings"


class SwitchKind(_Action):
    """Switch a kind of notification of a board on or off."""

    do: Literal["switch"] = "switch"
    board: str
    kind: Kind
    on: bool


class SignOut(_Action):
    """Forget the person."""

    do: Literal["sign_out"] = "sign_out"


class StartComment(_Action):
    """Ask for a comment on a task."""

    do: Literal["comment"] = "comment"
    task: str


class ShowColumns(_Action):
    """Ask where to move a task."""

    do: Literal["columns"] = "columns"
    task: str


class MoveTask(_Action):
    """Move a task."""

    do: Literal["move"] = "move"
    task: str
    column: str
    name: str


Action = Annotated[
    ShowHome
    | ShowSpaces
    | ShowProjects
    | ShowBoards
    | ChooseBoard
    | ShowOwnTasks
    | ShowSettings
    | SwitchKind
    | SignOut
    | StartComment
    | ShowColumns
    | MoveTask,
    Field(discriminator="do"),
]
_READER: TypeAdapter[Action] = TypeAdapter(Action)


def read_action(text: str) -> Action:
    return _READER.validate_json(text)
