"""Looks at one board in the name of those who watch it, and tells them what others did."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import random
from typing import TYPE_CHECKING

from teamflame.dialog.screens import Screen, Screens, name_of, shorten
from teamflame.errors import Forbidden, NotFound, SignInNeeded, TeamFlameError
from teamflame.store.choices import Kind
from teamflame.watching import snapshot
from teamflame.watching.snapshot import Watcher, recipients_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamflame.dialog.conversation import Conversation
    from teamflame.service.values import Column
    from teamflame.teamflame import TeamFlame
    from teamflame.texts.bot_texts import BotTexts
    from teamflame.watching.snapshot import Event


@dataclass(frozen=True, slots=True)
class Pace:
    """The pauses between two looks at a board, in seconds."""

    open: float = 15.0  # somebody has the board open in the Mini App, or works on it
    quiet: float = 60.0
    longest: float = 120.0  # nothing has happened for a while
    while_failing: float = 600.0
    spread: float = 0.15
    open_for: float = 60.0  # after the Mini App has asked for the board
    lively_for: int = 40  # looks without any change: ten minutes
    quiet_after: int = 70  # looks without any change

    def pause(self, *, is_open: bool, unchanged: int, failures: int, jitter: float) -> float:
        """Choose the next pause; `jitter` from 0 to 1 keeps boards from being asked all at once."""
        if failures:
            full = min(self.while_failing, self.quiet * 2.0 ** min(failures - 1, 10))
        elif is_open or unchanged < self.lively_for:
            full = self.open
        else:
            full = self.quiet if unchanged < self.quiet_after else self.longest
        return full * (1.0 - self.spread + 2 * self.spread * jitter)


logger = logging.getLogger(__name__)

LONGEST_COMMENT = 300  # characters of a comment in a notification


class BoardWatch:
    """One board, asked for once however many people watch it."""

    def __init__(
        self, board_id: str, teamflame: TeamFlame, conversation: Conversation, pace: Pace
    ) -> None:
        self.watchers: tuple[Watcher, ...] = ()
        self._board_id = board_id
        self._teamflame = teamflame
        self._conversation = conversation
        self._pace = pace
        self._unchanged = pace.lively_for  # a restart is no reason to look more often
        self._failures = 0

    async def look(self) -> float:
        """Look at the board once; return the pause until the next time."""
        try:
            events = await self._find_events()
        except TeamFlameError as exc:
            self._failures += 1
            logger.info("a TeamFlame board could not be watched: %s", exc)
        else:
            self._failures = 0
            self._unchanged = 0 if events else self._unchanged + 1
        return self._pace.pause(
            is_open=self._teamflame.is_open(self._board_id, self._pace.open_for),
            unchanged=self._unchanged,
            failures=self._failures,
            jitter=random(),  # noqa: S311 - spreads load
        )

    def is_awaited(self, waited: float) -> bool:
        """Whether somebody has the board open now, so that the next look should not wait any longer."""
        is_open = self._teamflame.is_open(self._board_id, self._pace.open_for)
        return is_open and waited >= self._pace.open and not self._failures

    async def _find_events(self) -> Sequence[Event]:
        columns = await self._read_columns()
        stored = await self._teamflame.snapshots.get(self._board_id)
        if stored is None:
            self._unchanged = 0
        before = None if stored is None else snapshot.read(stored)
        # In a thread, because a board may have very many tasks.
        found = await asyncio.to_thread(snapshot.compare, before, columns, datetime.now(UTC))
        own = await self._teamflame.own_actions.actors_of({each.change for each in found.events})
        # People are notified first: a gateway that dies before the snapshot is saved does it again,
        # under the same keys, so that nothing is sent twice.
        for event in found.events:
            await self._notify(replace(event, actor=own.get(event.change, event.actor)))
        if found.snapshot != before:
            await self._teamflame.snapshots.save(self._board_id, snapshot.write(found.snapshot))
            await self._teamflame.own_actions.forget(own)
        return found.events

    async def _read_columns(self) -> tuple[Column, ...]:
        """Read the board with the account of the first watcher who may see it."""
        failure: TeamFlameError = SignInNeeded()
        for watcher in self.watchers:
            try:
                return await self._read_with(watcher.account.id)
            except (SignInNeeded, Forbidden, NotFound) as exc:
                failure = exc
        raise failure

    async def _read_with(self, account: str) -> tuple[Column, ...]:
        accounts, service = self._teamflame.accounts, self._teamflame.service
        columns = await accounts.call(account, service.columns.list, self._board_id)
        if not any(Kind.COMMENTED in each.subscription.kinds for each in self.watchers):
            return columns
        # The service gives comments only with the tasks of a column.
        tasks = await asyncio.gather(
            *(accounts.call(account, service.tasks.of_column, each.id) for each in columns)
        )
        return tuple(
            replace(column, tasks=found) for column, found in zip(columns, tasks, strict=True)
        )

    async def _notify(self, event: Event) -> None:
        for watcher in recipients_of(event, self.watchers):
            user_id = watcher.subscription.user_id
            talk = await self._conversation.talk(user_id, f"{_name(event)}:{user_id}")
            rows = Screens(talk.texts).task_rows(event.task)
            await talk.notify(Screen(describe(event, talk.texts), rows))


def describe(event: Event, texts: BotTexts) -> str:
    """Say what happened and who did it, if that is known, in one line."""
    text = _event_text(event, texts)
    if event.actor is None or event.kind is Kind.COMMENTED:
        return text
    return texts.by.format(event=text, actor=event.actor.name)


def _event_text(event: Event, texts: BotTexts) -> str:
    task = name_of(event.task)
    date = event.task.due.strftime("%d.%m.%Y %H:%M") if event.task.due else ""
    match event.kind:
        case Kind.CREATED:
            return texts.event_created.format(task=task, column=event.column.name)
        case Kind.ASSIGNED:
            return texts.event_assigned.format(task=task)
        case Kind.MOVED:
            return texts.event_moved.format(task=task, column=event.column.name)
        case Kind.COMMENTED:
            author, text = (event.comment.author, event.comment.text) if event.comment else ("", "")
            shown = shorten(text, LONGEST_COMMENT)
            return texts.event_commented.format(task=task, author=author, text=shown)
        case Kind.DUE_SOON:
            return texts.event_due_soon.format(task=task, date=date)
        case Kind.OVERDUE:
            return texts.event_overdue.format(task=task, date=date)


def _name(event: Event) -> str:
    """Name an event, so that people are notified of it once even if it is found twice."""
    parts = (
        event.kind,
        event.task.id,
        event.task.column_id,
        str(event.task.updated),
        str(event.task.due),
        event.comment.id if event.comment else "",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
