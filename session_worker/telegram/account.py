"""The life of one Telegram account: connected, cut off, connected again, or lost."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from session_worker.contract import SessionState, Trouble, TroubleCode
from session_worker.session import LineLeftOpen, SessionEnded
from session_worker.telegram.addresses import Names
from session_worker.telegram.announcements import Announcements
from session_worker.telegram.client import AccountClient
from session_worker.telegram.clock import clock_trouble
from session_worker.telegram.errors import (
    Deaf,
    LeaseLost,
    NeedsLogin,
    TelegramError,
    Undecodable,
    Unreachable,
    state_without_session,
    trouble_of,
)
from session_worker.telegram.fence import fenced
from session_worker.telegram.identity import require_own
from session_worker.telegram.line import Line
from session_worker.telegram.news import News
from session_worker.telegram.pace import Pace, pause_before
from session_worker.telegram.polling import Polling
from session_worker.telegram.proxied import HeldLines
from session_worker.telegram.stored_session import WorkerSession
from session_worker.telegram.updates import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from session_worker.contract import Assignment, Command
    from session_worker.session import Outbox
    from session_worker.telegram.fence import Right
    from session_worker.telegram.updates import Incoming

    OnUpdate = Callable[["TelegramAccount", Incoming], Awaitable[None]]

log = logging.getLogger(__name__)

INBOX = 1000  # updates that may wait to be stored


async def store_nothing(account: TelegramAccount, incoming: Incoming) -> None:
    """Count each update as stored, for an account nobody listens to."""
    account.acknowledge(incoming.position)


class TelegramAccount:
    """Keeps one account connected and hands its updates over, in order."""

    def __init__(
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: Right,
        *,
        on_update: OnUpdate = store_nothing,
        pace: Pace | None = None,
    ) -> None:
        self._assignment = assignment
        self.owner = assignment.session.user_id if assignment.session else None
        self._says = Announcements(outbox)
        self._on_update = on_update
        self._pace = pace or Pace()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._lease_lost = asyncio.Event()
        self._session = WorkerSession(assignment.session, assignment.data_centre)
        self._news = News(outbox, self._session)
        self._inbox = Inbox(INBOX, self._news.moved)
        stored = assignment.session
        self._place = stored.update_state if stored else None
        self._place_of = stored.user_id if stored else None
        self._held = HeldLines()
        self._connection = fenced(lease, self._lease_lost.set, assignment.proxy, self._held)
        self._line: Line | None = None
        self._online = asyncio.Event()

    @property
    def last_heard(self) -> float | None:
        return self._inbox.last_heard

    @property
    def queue_depth(self) -> int:
        return self._inbox.depth + (self._line.backlog if self._line else 0)

    @property
    def is_behind(self) -> bool:
        """Whether something may have been written that we can't have heard yet."""
        line = self._line
        return line is None or line.is_behind or line.backlog > 0 or self._inbox.is_catching_up

    async def run(self) -> None:
        if self._assignment.session is None:
            raise SessionEnded(SessionState.NEEDS_LOGIN, Trouble(code=TroubleCode.NO_SESSION))
        tasks = [
            asyncio.create_task(job, name=name)
            for name, job in (
                ("connection", self._stay_connected()),
                ("updates", self._hand_over()),
                ("stop", self._stopping.wait()),
                ("lease", self._lease_lost.wait()),
            )
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)
            self._news.tell()
            self._ended.set()
        self._raise_outcome(tasks)

    async def stop(self) -> None:
        self._stopping.set()
        await self._ended.wait()

    async def handle(self, command: Command) -> None:
        log.warning("no use for a %s", command.kind)

    async def until_online(self) -> None:
        """Wait for a line on which something can be asked."""
        await self._online.wait()

    def access_hash(self, peer_id: int) -> int | None:
        """Tell the key under which this login may address somebody."""
        row = self._session.get_entity_rows_by_id(peer_id)
        return row[1] if row else None

    def names(self, peer_id: int) -> Names | None:
        """Tell what somebody who was met before can be looked up by."""
        found = self._session.names(peer_id)
        return Names(*found) if found else None

    def tell_peers(self) -> None:
        """Have the peers that became known stored before anything that is said of them."""
        self._news.tell()

    def limit(self, trouble: Trouble | None) -> None:
        """Say that Telegram limits what we send, or no longer does."""
        self._says.limit(trouble)

    async def ask(self, request: Any) -> Any:
        """Send a request on the line that is open now; there may be none."""
        line = self._line
        if line is None:
            raise Unreachable("not connected")
        return await line.ask(request)

    async def ask_at(self, dc_id: int, request: Any) -> Any:
        """Send a request to the data centre that keeps a file."""
        line = self._line
        if line is None:
            raise Unreachable("not connected")
        return await line.ask_at(dc_id, request)

    def acknowledge(self, position: int) -> None:
        """Say that the update at this position is stored."""
        self._inbox.acknowledge(position)

    def _raise_outcome(self, tasks: list[asyncio.Task[Any]]) -> None:
        if self._lease_lost.is_set():
            raise LeaseLost
        for task in tasks:
            if not task.cancelled():
                task.result()
        if self._held:
            raise LineLeftOpen

    async def _hand_over(self) -> None:
        while True:
            incoming = await self._inbox.take()
            await self._on_update(self, incoming)

    async def _stay_connected(self) -> None:
        self._says.say(SessionState.CONNECTING)
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                await self._serve_one_line()
            except NeedsLogin as lost:
                raise SessionEnded(state_without_session(lost.trouble), lost.trouble) from lost
            except TelegramError as error:
                lasted = time.monotonic() - began
                attempt = 0 if lasted > self._pace.settled_after else attempt + 1
                await asyncio.sleep(self._meet(error, attempt))
                self._held.forget()

    def _meet(self, error: TelegramError, attempt: int) -> float:
        """Say why the line is gone; how long to wait before the next one."""
        trouble = trouble_of(error)
        if isinstance(error, Deaf):
            self._says.deaf(trouble)
        else:
            self._says.say(SessionState.RECONNECTING, trouble)
        # An outage is told once; its end shows in the state.
        log.log(logging.INFO if attempt <= 1 else logging.DEBUG, "line to Telegram lost: %s", error)
        # A second line of one key beside one that the proxy still holds could cost the login.
        linger = self._pace.linger if self._held else 0.0
        return max(pause_before(attempt, self._pace), trouble.retry_after or 0.0, linger)

    async def _serve_one_line(self) -> None:
        """Open a line and use it until it is cut, which is always an error."""
        client = AccountClient(
            self._session,
            self._assignment.application,
            self._connection,
            self._pace,
            self._inbox.arrived,
            self._says.undecodable,
        )
        line = Line(client, self._pace, self._assignment.data_centre)
        try:
            await line.open(self._inbox.reached or self._place)
            await self._verify(line)
            self._line = line
            self._online.set()
            await Polling(line, self._inbox, self._says, self._pace).run()
        finally:
            self._line = None
            self._online.clear()
            # Not even a cancelled run may leave a line: the next owner of the key would be a second.
            await asyncio.shield(self._leave(line))

    async def _leave(self, line: Line) -> None:
        await self._held.let_go(self._pace.part_limit)
        await line.close()

    async def _verify(self, line: Line) -> None:
        """Let updates through only if this is the number's own account."""
        state = await line.state()
        self.owner = await self._owner_on(line)
        self._news.key(self.owner)
        if self._place_of not in {None, self.owner}:
            self._place_of, self._place = self.owner, None
            raise Unreachable("the phone has a new account, whose updates begin anew")
        await line.follow()
        if state.pts > line.place.pts:
            await self._inbox.begin_catch_up(line.place, state.pts)
            await line.catch_up()
        self._says.say(SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC)))

    async def _owner_on(self, line: Line) -> int:
        """Tell whose account is on the line; raises if it is not the number's own."""
        try:
            me = await line.me()
        except Undecodable:
            # A login stays with its account, so what was found out about it once still holds.
            if self.owner is None:
                raise
            return self.owner
        require_own(me, self._assignment.number)
        return int(me.id)


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
