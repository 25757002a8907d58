"""What a person sees: pure functions from what TeamFlame holds to texts with buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from teamflame.dialog.actions import (
    Action,
    ChooseBoard,
    MoveTask,
    ShowBoards,
    ShowColumns,
    ShowHome,
    ShowOwnTasks,
    ShowProjects,
    ShowSettings,
    ShowSpaces,
    SignOut,
    StartComment,
    SwitchKind,
)
from teamflame.store.choices import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from teamflame.service.values import Board, Column, Project, Space, Task
    from teamflame.store.accounts import Account
    from teamflame.texts.bot_texts import BotTexts

PAGE = 8  # buttons with names
MOST_CARDS = 10  # of a column in the chat
LONGEST_NAME = 60  # characters on a button
LONGEST_TEXT = 3500  # characters of a message


@dataclass(frozen=True, slots=True)
class Button:
    """A button that performs an action or opens the Mini App, at a card if `start` names one."""

    text: str
    action: Action | None = None
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """A message of the bot."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()


def shorten(text: str, longest: int = LONGEST_NAME) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def name_of(task: Task) -> str:
    return shorten(f"{task.number} {task.title}".strip(), 200)


class Screens:
    """The screens in one language."""

    def __init__(self, texts: BotTexts) -> None:
        self._texts = texts

    def welcome(self) -> Screen:
        return Screen(self._texts.welcome, ((self._app(self._texts.sign_in),),))

    def sign_in_again(self) -> Screen:
        return Screen(self._texts.sign_in_again, ((self._app(self._texts.sign_in),),))

    def sign_in_first(self) -> Screen:
        return Screen(self._texts.sign_in_first, ((self._app(self._texts.sign_in),),))

    def home(self, account: Account, board: Board) -> Screen:
        texts = self._texts
        return Screen(
            f"{self._who(account)}\n{texts.chosen_board.format(board=board.name)}",
            (
                (self._app(texts.open_board),),
                (Button(texts.my_tasks, ShowOwnTasks()), Button(texts.settings, ShowSettings())),
            ),
        )

    def first_choice(self, account: Account, spaces: Sequence[Space]) -> Screen:
        """List the spaces for somebody who has not chosen a board yet."""
        shown = self.spaces(spaces, 0)
        rows = (*shown.rows[:-1], self._sign_out())
        return Screen(f"{self._who(account)}\n\n{shown.text}", rows)

    def spaces(self, spaces: Sequence[Space], page: int) -> Screen:
        buttons = [
            Button(shorten(each.name), ShowProjects(space=each.id, name=each.name))
            for each in spaces
        ]
        rows = self._page(buttons, page, ShowSpaces(page=page + 1))
        return Screen(self._title(self._texts.spaces, buttons), (*rows, self._back(ShowHome())))

    def projects(self, at: ShowProjects, projects: Sequence[Project]) -> Screen:
        buttons = [
            Button(
                shorten(each.name),
                ShowBoards(space=at.space, space_name=at.name, project=each.id, name=each.name),
            )
            for each in projects
        ]
        rows = self._page(buttons, at.page, at.model_copy(update={"page": at.page + 1}))
        title = self._title(self._texts.projects.format(space=at.name), buttons)
        return Screen(title, (*rows, self._back(ShowSpaces())))

    def boards(self, at: ShowBoards, boards: Sequence[Board]) -> Screen:
        buttons = [Button(shorten(each.name), ChooseBoard(board=each.id)) for each in boards]
        rows = self._page(buttons, at.page, at.model_copy(update={"page": at.page + 1}))
        title = self._title(self._texts.boards.format(project=at.name), buttons)
        above = ShowProjects(space=at.space, name=at.space_name)
        return Screen(title, (*rows, self._back(above)))

    def board(self, board: Board, columns: Sequence[Column]) -> Screen:
        lines = [board.name]
        for column in columns:
            lines += ["", self._texts.column.format(name=column.name, count=len(column.tasks))]
            lines += [f"• {name_of(task)}" for task in column.tasks[:MOST_CARDS]]
            if len(column.tasks) > MOST_CARDS:
                left = len(column.tasks) - MOST_CARDS
                lines.append(self._texts.and_more.format(count=left))
        if not any(column.tasks for column in columns):
            lines += ["", self._texts.board_is_empty]
        rows = (
            (self._app(self._texts.open_board),),
            (Button(self._texts.other_board, ShowSpaces()),),
        )
        return Screen(shorten("\n".join(lines), LONGEST_TEXT), rows)

    def own_tasks(self, tasks: Sequence[Task]) -> Screen:
        if not tasks:
            return Screen(self._texts.no_tasks, (self._back(ShowHome()),))
        lines = [self._texts.own_tasks, *(f"• {self._with_date(task)}" for task in tasks)]
        buttons = [self.card(name_of(task), task) for task in tasks[:PAGE]]
        rows = tuple((each,) for each in buttons)
        return Screen(shorten("\n".join(lines), LONGEST_TEXT), (*rows, self._back(ShowHome())))

    def settings(self, board: Board, kinds: frozenset[Kind]) -> Screen:
        switches = tuple((self._switch(board, kind, kind in kinds),) for kind in Kind)
        other = Button(self._texts.other_board, ShowSpaces())
        text = self._texts.notifications.format(board=board.name)
        return Screen(text, (*switches, (other,), self._sign_out(), self._back(ShowHome())))

    def created(self, task: Task) -> Screen:
        return Screen(self._texts.created.format(task=name_of(task)), self.task_rows(task))

    def columns(self, task: Task, columns: Sequence[Column]) -> Screen:
        rows = tuple(
            (Button(shorten(each.name), MoveTask(task=task.id, column=each.id, name=each.name)),)
            for each in columns
            if each.id != task.column_id
        )
        return Screen(self._texts.choose_column.format(task=name_of(task)), rows)

    def moved(self, task: Task, column: str) -> Screen:
        text = self._texts.moved.format(task=name_of(task), column=column)
        return Screen(text, self.task_rows(task))

    def task_rows(self, task: Task) -> tuple[tuple[Button, ...], ...]:
        """Make the buttons under everything that is about one task."""
        return (
            (self.card(self._texts.open_card, task),),
            (
                Button(self._texts.comment, StartComment(task=task.id)),
                Button(self._texts.move_to, ShowColumns(task=task.id)),
            ),
        )

    def card(self, text: str, task: Task) -> Button:
        return Button(shorten(text), start=f"t_{task.id}")

    def _who(self, account: Account) -> str:
        return self._texts.signed_in.format(name=account.name, email=account.email)

    def _app(self, text: str) -> Button:
        return Button(text, start="")

    def _switch(self, board: Board, kind: Kind, is_on: bool) -> Button:
        mark = "✅" if is_on else "⬜"
        action = SwitchKind(board=board.id, kind=kind, on=not is_on)
        return Button(f"{mark} {self._texts.kinds[kind]}", action)

    def _with_date(self, task: Task) -> str:
        if task.due is None:
            return name_of(task)
        return f"{name_of(task)}, {self._texts.due.format(date=task.due.strftime('%d.%m.%Y'))}"

    def _page(
        self, buttons: Sequence[Button], page: int, following: Action
    ) -> Iterable[tuple[Button, ...]]:
        shown = buttons[page * PAGE : (page + 1) * PAGE]
        rows = [(each,) for each in shown]
        if len(buttons) > (page + 1) * PAGE:
            rows.append((Button(self._texts.more, following),))
        return rows

    def _title(self, title: str, buttons: Sequence[Button]) -> str:
        return title if buttons else f"{title}\n\n{self._texts.nothing_here}"

    def _back(self, action: Action) -> tuple[Button, ...]:
        return (Button(self._texts.back, action),)

    def _sign_out(self) -> tuple[Button, ...]:
        return (Button(self._texts.sign_out, SignOut()),)
