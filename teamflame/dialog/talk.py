"""One turn of a conversation with one person: from a wish or a button to a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from supervisor.bots.chat import ChatButton
from teamflame.accounts.proof import Caller
from teamflame.dialog import actions
from teamflame.dialog.screens import Screen, Screens, name_of
from teamflame.dialog.steps import Dialog, Step, Wish
from teamflame.errors import (
    AnswerLost,
    CredentialsInvalid,
    Forbidden,
    Limited,
    NotFound,
    SignInNeeded,
    Unavailable,
)
from teamflame.service.tasks import TaskFields
from teamflame.store.choices import Kind, Selection, Subscription
from teamflame.store.own_actions import Change, comment_change
from teamflame.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from supervisor.bots.chat import Chat, ChatButtons
    from teamflame.dialog.screens import Button
    from teamflame.dialog.steps import Meaning
    from teamflame.errors import TeamFlameError
    from teamflame.service.values import Board
    from teamflame.store.dialogs import Dialogs
    from teamflame.teamflame import TeamFlame

T = TypeVar("T")
Given = ParamSpec("Given")

# The names of texts that need nothing to be filled in.
_PLAIN: Final = {
    Wish.SIGN_IN: "ask_email",
    Wish.GIVE_EMAIL: "ask_password",
    Wish.EMAIL_INVALID: "email_invalid",
    Wish.HELP: "help",
    Wish.CANCEL: "cancelled",
    Wish.UNKNOWN: "unknown",
}
_TROUBLES: Final[Mapping[type, str]] = {
    CredentialsInvalid: "credentials_invalid",
    AnswerLost: "may_exist",
    Unavailable: "unavailable",
    Forbidden: "forbidden",
    NotFound: "not_found",
}
_WISHES: Final[Mapping[type, Wish]] = {
    actions.ShowHome: Wish.START,
    actions.ShowOwnTasks: Wish.OWN_TASKS,
    actions.ShowSettings: Wish.SETTINGS,
    actions.SignOut: Wish.SIGN_OUT,
}

DOING = "doing"
"""The step of a dialog whose newest wish may have been carried out already."""


class Talk:
    """Knows the person, their language, and which event it answers."""

    def __init__(
        self,
        teamflame: TeamFlame,
        dialogs: Dialogs,
        chat: Chat,
        user_id: int,
        event: str,
        language: str,
    ) -> None:
        self.texts = texts_of(language)
        self._teamflame = teamflame
        self._service = teamflame.service
        self._dialogs = dialogs
        self._chat = chat
        self._caller = Caller(user_id=user_id, language=language)
        self._user_id = user_id
        self._event = event
        self._sent = 0
        self._screens = Screens(self.texts)

    async def send(self, screen: Screen) -> None:
        """Send a screen durably, and only once even if the event is handed over again."""
        keys = await self.make_keys(screen)
        self._sent += 1
        key = f"teamflame:{self._event}:{self._sent}"
        await self._chat.send(key, self._user_id, screen.text, keys)

    async def notify(self, screen: Screen) -> None:
        """Send once, and at the pace of notifications, what the person has not asked for."""
        keys = await self.make_keys(screen)
        await self._chat.notify(f"teamflame:{self._event}", self._user_id, screen.text, keys)

    async def make_keys(self, screen: Screen) -> ChatButtons:
        """Store what each button does under an opaque id, which is all that the chat learns."""
        actions = [each.action for row in screen.rows for each in row if each.action is not None]
        texts = [action.model_dump_json() for action in actions]
        ids = iter(await self._dialogs.add_buttons(self._user_id, texts))
        return tuple(tuple(self._key(each, ids) for each in row) for row in screen.rows)

    def trouble(self, exc: TeamFlameError) -> Screen:
        """Say in words what went wrong with TeamFlame."""
        if isinstance(exc, SignInNeeded):
            return self._screens.sign_in_first()
        if isinstance(exc, Limited):
            return Screen(self.texts.limited.format(seconds=int(exc.seconds) + 1))
        for kind in type(exc).__mro__:
            if kind in _TROUBLES:
                return Screen(getattr(self.texts, _TROUBLES[kind]))
        return Screen(self.texts.refused.format(reason=str(exc)))

    async def fulfil(self, meaning: Meaning, before: Dialog) -> None:
        """Do what a message asks for, and remember what the bot waits for after it."""
        if meaning.wish in {Wish.CREATE, Wish.COMMENT} and meaning.said:
            await self._dialogs.save(self._user_id, DOING, self._event)
        screen = await self._answer(meaning, before)
        await self._dialogs.save(self._user_id, meaning.then.step, meaning.then.detail)
        await self.send(screen)

    async def _answer(self, meaning: Meaning, before: Dialog) -> Screen:
        if meaning.wish in _PLAIN:
            return Screen(getattr(self.texts, _PLAIN[meaning.wish]))
        match meaning.wish:
            case Wish.CREATE:
                return await self._create(meaning.said)
            case Wish.COMMENT:
                return await self._comment(before.detail, meaning.said)
            case Wish.GIVE_PASSWORD:
                return await self._sign_in(before.detail, meaning.said)
            case _:
                return await self._show(meaning.wish)

    async def carry_out(self, action: actions.Action) -> Screen:
        """Do what a button stands for."""
        match action:
            case actions.ShowSpaces() | actions.ShowProjects() | actions.ShowBoards():
                return await self._choices(action)
            case actions.StartComment() | actions.ShowColumns() | actions.MoveTask():
                return await self._about_task(action)
            case actions.ChooseBoard():
                return await self._choose(action.board)
            case actions.SwitchKind():
                return await self._switch(action)
            case _:
                return await self._show(_WISHES[type(action)])

    async def _show(self, wish: Wish) -> Screen:
        match wish:
            case Wish.BOARD:
                board = await self._board()
                if board is None:
                    return await self._home()
                columns = await self._call(self._service.columns.list, board.id)
                return self._screens.board(board, columns)
            case Wish.OWN_TASKS:
                return self._screens.own_tasks(await self._call(self._service.tasks.mine))
            case Wish.SETTINGS:
                return await self._settings()
            case Wish.SIGN_OUT:
                await self._teamflame.accounts.sign_out(self._user_id)
                return Screen(self.texts.signed_out)
            case _:
                return await self._home()

    async def _choices(
        self, action: actions.ShowSpaces | actions.ShowProjects | actions.ShowBoards
    ) -> Screen:
        match action:
            case actions.ShowSpaces():
                spaces = await self._call(self._service.spaces.list)
                return self._screens.spaces(spaces, action.page)
            case actions.ShowProjects():
                projects = await self._call(self._service.projects.list, action.space)
                return self._screens.projects(action, projects)
            case actions.ShowBoards():
                boards = await self._call(self._service.boards.list, action.project)
                return self._screens.boards(action, boards)

    async def _home(self) -> Screen:
        account = await self._teamflame.accounts.find(self._caller)
        if account is None:
            return self._screens.welcome()
        board = await self._board()
        if board is not None:
            return self._screens.home(account, board)
        return self._screens.first_choice(account, await self._call(self._service.spaces.list))

    async def _choose(self, key: str) -> Screen:
        board = await self._call(self._service.boards.get, key)
        chosen = Selection(board.space_id, board.project_id, board.id)
        await self._teamflame.choices.select(self._user_id, chosen)
        return self._screens.board(board, await self._call(self._service.columns.list, board.id))

    async def _settings(self) -> Screen:
        board = await self._board()
        if board is None:
            return await self._home()
        kinds = await self._teamflame.choices.kinds_of(self._user_id, board.id)
        return self._screens.settings(board, kinds)

    async def _switch(self, action: actions.SwitchKind) -> Screen:
        board = await self._call(self._service.boards.get, action.board)
        before = await self._teamflame.choices.kinds_of(self._user_id, board.id)
        kinds = before | {action.kind} if action.on else before - {action.kind}
        wanted = Subscription(self._user_id, board.id, frozenset(kinds))
        await self._teamflame.choices.subscribe(wanted)
        return self._screens.settings(board, wanted.kinds)

    async def _sign_in(self, email: str, password: str) -> Screen:
        accounts = self._teamflame.accounts
        account = await accounts.sign_in(f"user {self._user_id}", email, password)
        await accounts.link(self._user_id, self._caller.language, account)
        return await self._home()

    async def _create(self, title: str) -> Screen:
        board = await self._board()
        if board is None:
            return await self._home()
        if not title:
            return Screen(self.texts.ask_title)
        columns = await self._call(self._service.columns.list, board.id)
        if not columns:
            return Screen(self.texts.nothing_here)
        fields = TaskFields(title=title)
        made = await self._call(self._service.tasks.create, board, columns[0].id, fields)
        await self._teamflame.remember_own(self._caller, Change(made.id, Kind.CREATED))
        return self._screens.created(made)

    async def _comment(self, key: str, text: str) -> Screen:
        task = await self._call(self._service.tasks.get, key)
        async with self._teamflame.own(self._caller, comment_change(task.id, text)):
            await self._call(self._service.comments.create, key, text)
        return Screen(self.texts.commented, self._screens.task_rows(task))

    async def _about_task(
        self, action: actions.StartComment | actions.ShowColumns | actions.MoveTask
    ) -> Screen:
        task = await self._call(self._service.tasks.get, action.task)
        match action:
            case actions.StartComment():
                await self._dialogs.save(self._user_id, Step.COMMENT, task.id)
                return Screen(self.texts.ask_comment.format(task=name_of(task)))
            case actions.ShowColumns():
                columns = await self._call(self._service.columns.list, task.board_id)
                return self._screens.columns(task, columns)
            case actions.MoveTask():
                change = Change(task.id, Kind.MOVED, action.column)
                async with self._teamflame.own(self._caller, change):
                    moved = await self._call(self._service.tasks.move, task, action.column)
                return self._screens.moved(moved, action.name)

    async def _board(self) -> Board | None:
        """Return the chosen board, unless it is gone."""
        chosen = await self._teamflame.choices.selection_of(self._user_id)
        if chosen is None:
            await self._teamflame.accounts.require(self._caller)
            return None
        try:
            return await self._call(self._service.boards.get, chosen.board_id)
        except (NotFound, Forbidden):
            return None

    async def _call(
        self,
        method: Callable[Concatenate[str, Given], Awaitable[T]],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> T:
        return await self._teamflame.call(self._caller, method, *args, **kwargs)

    def _key(self, button: Button, ids: Iterator[str]) -> ChatButton:
        if button.start is None:
            return ChatButton(button.text, data=next(ids))
        return ChatButton(button.text, web_app=self._teamflame.app_url(button.start))
