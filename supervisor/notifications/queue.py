"""Hands the notifications of one bot to its journal, as fast as Telegram's limits allow."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from session_worker.protocol.messages import Contact
from supervisor.errors import DatabaseError, GatewayError, NotificationUnknown, SealBroken
from supervisor.journal.pending import UNREADABLE
from supervisor.notifications.notice import Notice
from supervisor.notifications.outcome import RecipientState, mutes
from supervisor.notifications.rates import LONGEST_PAUSE, MINUTE, Pace, expired, next_step
from supervisor.notifications.recipient_lookup import MUTED
from supervisor.store.notifications import HANDED_OVER, journal_key
from supervisor.store.values import UnderWay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.journal.values import Accepted
    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.messages.message_service import Dispatchers
    from supervisor.notifications.recipient_lookup import People
    from supervisor.store.notifications import Notifications
    from supervisor.store.values import Queued

# Notifications in the journal at the same time. An urgent one waits at most behind these, and a new
# worker sends all of them at once, so they must fit into the limit of a second.
MOST_UNDER_WAY = 20
LOOKED_AT = 200  # chats whose oldest waiting message is read at once
MOST_KEPT = 20  # notifications whose contents are kept in memory
IDLE_PAUSE = 600.0  # seconds until an empty queue is looked at; what fills it also wakes it
PAUSE = 1.0  # seconds until the database is asked again after a failure

logger = logging.getLogger(__name__)


class NotificationQueue:
    """The queue of one bot or number; it rests while there is no worker."""

    def __init__(
        self,
        number: str,
        stored: Notifications,
        dispatchers: Dispatchers,
        people: People,
        *,
        is_bot: bool,
    ) -> None:
        self._number = number
        self._is_bot = is_bot
        self._stored = stored
        self._dispatchers = dispatchers
        self._people = people
        self._pace = Pace(time.monotonic())
        self._under_way: dict[int, UnderWay] | None = None
        self._early: dict[int, float] | None = None
        """When rows finished during a step, perhaps before the step has recorded them as under way."""
        self._notices: OrderedDict[str, Notice] = OrderedDict()
        self._wanted = asyncio.Event()
        self._is_idle = False
        self._finished = asyncio.Condition()
        self._handing_over = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what is stored, because a worker runs now."""
        if self._task is None:
            self._under_way = None
            self._task = asyncio.create_task(self._serve(), name=f"notifications of {self._number}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    @property
    def is_idle(self) -> bool:
        """Whether the queue was empty when it last looked."""
        return self._is_idle

    def wake(self) -> None:
        self._wanted.set()

    def has(self, row: int) -> bool:
        """Whether this row of the journal may be a notification on its way; most rows are not."""
        is_unknown = self._under_way is None or self._early is not None
        return is_unknown or row in (self._under_way or ())

    async def finish(self, row: int) -> None:
        """Act on the end of a message in the journal."""
        now = time.monotonic()
        if self._early is not None:
            self._early[row] = now
        if self._under_way is not None and row in self._under_way:
            self._pace.end(self._under_way.pop(row), now)
        try:
            peer_id, error = await self._stored.chat_of_row(row)
            if peer_id > 0 and mutes(error):
                await self._people.block(self._number, peer_id, is_blocked=True)
                await self._stored.fail_chat(self._number, peer_id, MUTED)
        except DatabaseError as exc:  # the next message to somebody who blocks the bot mutes them
            logger.warning("notifications of %s: %s", self._number, exc)
        self.wake()
        await self._report_finished()

    async def wait_handed_over(self) -> None:
        """Wait until nothing is being handed over; whoever is muted already gets nothing after that."""
        async with self._handing_over:
            return

    async def wait_finished(self, seconds: float) -> None:
        """Wait until any message is finished, but no longer than this."""
        try:
            async with asyncio.timeout(seconds), self._finished:
                await self._finished.wait()
        except TimeoutError:
            return

    async def _serve(self) -> None:
        while True:
            self._wanted.clear()
            try:
                pause = await self._step()
                self._early = None
            except GatewayError as exc:
                logger.warning("notifications of %s wait: %s", self._number, exc)
                pause = PAUSE
            except Exception:  # the root of the task; without it the bot would fall silent
                logger.exception("notifications of %s wait", self._number)
                pause = PAUSE
            if pause > 0:
                await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _step(self) -> float:
        """Hand over what may be sent now; return the seconds until there may be more."""
        self._early = {}
        if self._under_way is None:
            self._under_way = await self._recall(self._early)
        now = time.time()
        queued = await self._stored.next_queued(self._number, now, LOOKED_AT)
        late = expired(queued, now)
        if late:
            await self._stored.mark(late, RecipientState.EXPIRED)
            await self._report_finished()
            return 0.0
        under_way = self._under_way.values()
        room = MOST_UNDER_WAY - len(under_way)
        step = next_step(queued, self._pace, room, under_way, time.monotonic())
        if step.ready:
            await self._hand_over(step.ready)
            # It is of no use to read what is next before another message may be sent.
            parts = sum(each.parts for each in self._under_way.values())
            return self._pace.wait(1, parts, time.monotonic())
        due = await self._stored.next_due(self._number, now)
        self._is_idle = not queued
        longest = LONGEST_PAUSE if queued else IDLE_PAUSE
        return min(step.pause if queued else longest, max(0.01, due - now) if due else longest)

    async def _recall(self, early: Mapping[int, float]) -> dict[int, UnderWay]:
        """Read what is under way, and what another worker, maybe of another node, sent lately."""
        found = await self._stored.under_way(self._number)
        now, today = time.monotonic(), datetime.now(UTC)
        since = today - timedelta(seconds=MINUTE)
        for done, sent in await self._stored.ended_since(self._number, since):
            self._pace.end(sent, now - max(0.0, (today - done).total_seconds()))
        for row in early.keys() & found.keys():
            self._pace.end(found.pop(row), early[row])
        return found

    async def _hand_over(self, ready: Sequence[Queued]) -> None:
        """Put messages into the journal; if this is repeated after a crash, each key finds its row."""
        given_up: dict[str, list[int]] = defaultdict(list)
        handed_over: list[int] = []
        async with self._handing_over:
            muted = await self._muted(ready)
            for each in ready:
                is_muted = each.peer_id in muted
                reason = MUTED if is_muted else await self._put_into_journal(each)
                (handed_over if reason is None else given_up[reason]).append(each.id)
        await self._stored.mark(handed_over, HANDED_OVER)
        for reason, ids in given_up.items():  # so that they hold up nothing
            level = logging.ERROR if reason == UNREADABLE else logging.INFO
            logger.log(
                level, "notifications of %s are given up (%s): %s", self._number, reason, ids
            )
            await self._stored.mark(ids, RecipientState.FAILED, reason)
        if given_up:
            await self._report_finished()

    async def _put_into_journal(self, queued: Queued) -> str | None:
        """Return why the message must be given up, or None."""
        notice = await self._notice(queued.notification)
        if notice is None:
            return UNREADABLE
        dispatcher = await self._dispatchers.of(self._number)
        outgoing = notice.outgoing(queued, journal_key(queued.id))
        accepted = await dispatcher.accept(outgoing, await self._stranger(dispatcher, queued))
        handed = UnderWay(queued.peer_id, queued.parts)
        if await self._is_open(dispatcher, accepted) and self._under_way is not None:
            self._under_way[accepted.row] = handed
        elif self._early and accepted.row in self._early:
            self._pace.end(handed, self._early[accepted.row])
        return None

    async def _is_open(self, dispatcher: Dispatcher, accepted: Accepted) -> bool:
        """Whether the end of this message is still to come; otherwise its chat would wait in vain."""
        row = accepted.row
        is_done = accepted.is_repeat and not await dispatcher.journal.still_pending([row])
        return not is_done and row not in (self._early or ())

    async def _muted(self, ready: Sequence[Queued]) -> frozenset[int]:
        """Return who has stopped or blocked the bot since the notifications were accepted."""
        people = {each.peer_id for each in ready if each.peer_id > 0}
        if not (self._is_bot and people):
            return frozenset()
        return await self._people.find_muted(self._number, people)

    async def _stranger(self, dispatcher: Dispatcher, recipient: Queued) -> Contact | None:
        """Return a recipient to whom a number writes for the first time; only numbers have budgets."""
        peer_id = recipient.peer_id
        if self._is_bot or peer_id < 0 or await dispatcher.chats.has(peer_id):
            return None
        return Contact(peer_id=peer_id)

    async def _report_finished(self) -> None:
        async with self._finished:
            self._finished.notify_all()

    async def _notice(self, notification: str) -> Notice | None:
        """Return what a notification says, or None if it cannot be read."""
        if notification not in self._notices:
            try:
                body = await self._stored.body(self._number, notification)
                self._notices[notification] = Notice.model_validate_json(body)
            except (SealBroken, NotificationUnknown, ValidationError):
                return None
            if len(self._notices) > MOST_KEPT:
                self._notices.popitem(last=False)
        return self._notices[notification]
