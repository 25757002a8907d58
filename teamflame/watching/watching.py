"""Watches each board of which somebody wants to be notified."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from supervisor.errors import GatewayError
from teamflame.watching.board_watch import BoardWatch, Pace
from teamflame.watching.snapshot import Watcher

if TYPE_CHECKING:
    from supervisor.bots.chat import Chat
    from teamflame.dialog.conversation import Conversation
    from teamflame.store.choices import Subscription
    from teamflame.teamflame import TeamFlame

logger = logging.getLogger(__name__)

REFRESH = 5.0  # seconds between two readings of the subscriptions
FAILURE_PAUSE = 30.0  # seconds after a failure of the gateway itself
STAGGER = 0.05  # seconds between the first looks at two boards


class Watching:
    """Watches boards while the bot runs on this node, so that each board is asked for once."""

    def __init__(
        self,
        teamflame: TeamFlame,
        conversation: Conversation,
        chat: Chat,
        pace: Pace | None = None,
        refresh: float = REFRESH,
    ) -> None:
        self._teamflame = teamflame
        self._conversation = conversation
        self._chat = chat
        self._pace = pace or Pace()
        self._refresh = refresh
        self._watches: dict[str, BoardWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="TeamFlame watching")

    async def stop(self) -> None:
        running = [*self._tasks.values(), *([self._task] if self._task else [])]
        self._task = None
        self._tasks.clear()
        self._watches.clear()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._adjust()
            except GatewayError as exc:
                logger.warning("TeamFlame boards are not watched: %s", exc)
            except Exception:  # the root of this task
                logger.exception("TeamFlame boards are not watched")
            await self._wait()

    async def _wait(self) -> None:
        """Wait until somebody has subscribed; not for long, because it may be on another node."""
        changed = self._teamflame.choices.have_changed
        with suppress(TimeoutError):
            async with asyncio.timeout(self._refresh):
                await changed.wait()
        changed.clear()

    async def _adjust(self) -> None:
        """Watch the boards to which somebody has subscribed, and no others."""
        wanted = await self._wanted() if self._chat.is_here else {}
        for board_id in self._watches.keys() - wanted.keys():
            del self._watches[board_id]
            self._tasks.pop(board_id).cancel()
        for place, (board_id, watchers) in enumerate(wanted.items()):
            watch = self._watches.get(board_id)
            if watch is None:
                watch = BoardWatch(board_id, self._teamflame, self._conversation, self._pace)
                self._watches[board_id] = watch
                looking = self._look(watch, place * STAGGER)
                self._tasks[board_id] = asyncio.create_task(looking, name=f"board {board_id}")
            watch.watchers = watchers

    async def _wanted(self) -> dict[str, tuple[Watcher, ...]]:
        subscriptions: tuple[Subscription, ...] = await self._teamflame.choices.subscriptions()
        accounts = await self._teamflame.account_store.of_users(
            tuple({each.user_id for each in subscriptions})
        )
        wanted: dict[str, tuple[Watcher, ...]] = {}
        for each in subscriptions:
            account = accounts.get(each.user_id)
            if account is not None and not account.needs_sign_in:
                known = wanted.get(each.board_id, ())
                wanted[each.board_id] = (*known, Watcher(each, account))
        return wanted

    async def _look(self, watch: BoardWatch, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            pause = FAILURE_PAUSE
            try:
                pause = await watch.look()
            except GatewayError as exc:
                logger.warning("a TeamFlame board could not be watched: %s", exc)
            except Exception:  # the root of this task
                logger.exception("a TeamFlame board could not be watched")
            await self._pause(watch, pause)

    async def _pause(self, watch: BoardWatch, pause: float) -> None:
        """Wait, but not as long if somebody opens the board in the meantime."""
        waited = 0.0
        while waited < pause and not watch.is_awaited(waited):
            step = min(pause - waited, self._refresh)
            await asyncio.sleep(step)
            waited += step
