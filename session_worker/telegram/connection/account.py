"""The life of one Telegram account: connected, cut off, connected again, or lost."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from session_worker.protocol.contract import SessionState, Trouble, TroubleCode
from session_worker.session import LineLeftOpen, SessionEnded
from session_worker.telegram.connection.announcements import Announcements
from session_worker.telegram.connection.client import AccountClient
from session_worker.telegram.connection.connection import Connection, fenced
from session_worker.telegram.connection.identity import require_own
from session_worker.telegram.connection.polling import Polling
from session_worker.telegram.connection.session_memory import SessionReporter, WorkerSession
from session_worker.telegram.connection.timing import ConnectionTiming, clock_trouble, pause_before
from session_worker.telegram.connection.updates import Inbox
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
from session_worker.telegram.proxy.transports import HeldLines
from session_worker.telegram.sending.addresses import Names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.updates import PositionedUpdate

    OnUpdate = Callable[["TelegramAccount", PositionedUpdate], Awaitable[None]]

log = logging.getLogger(__name__)

INBOX = 1000  # updates that may wait to be stored


async def store_nothing(account: TelegramAccount, incoming: PositionedUpdate) -> None:
    """Count each update as stored, for an account nobody listens to."""
    account.acknowledge(incoming.position)


class TelegramAccount:
    """Keeps one account connected and hands its updates over, in order."""

    def __init__(
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: WritePermit,
        *,
        on_update: OnUpdate = store_nothing,
        timing: ConnectionTiming | None = None,
    ) -> None:
        self._assignment = assignment
        self.owner = assignment.session.user_id if assignment.session else None
        self._says = Announcements(outbox)
        self._on_update = on_update
        self._timing = timing or ConnectionTiming()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._lease_lost = asyncio.Event()
        self._session = WorkerSession(assignment.session, assignment.data_centre)
        self._session_reporter = SessionReporter(outbox, self._session)
        self._inbox = Inbox(INBOX, self._session_reporter.moved)
        stored = assignment.session
        self._place = stored.update_state if stored else None
        self._place_of = stored.user_id if stored else None
        self._held = HeldLines()
        self._connection = fenced(lease, self._lease_lost.set, assignment.proxy, self._held)
        self._line: Connection | None = None
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
            self._session_reporter.tell()
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
        self._session_reporter.tell()

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
                attempt = 0 if lasted > self._timing.settled_after else attempt + 1
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
        linger = self._timing.linger if self._held else 0.0
        return max(pause_before(attempt, self._timing), trouble.retry_after or 0.0, linger)

    async def _serve_one_line(self) -> None:
        """Open a line and use it until it is cut, which is always an error."""
        client = AccountClient(
            self._session,
            self._assignment.application,
            self._connection,
            self._timing,
            self._inbox.arrived,
            self._says.undecodable,
        )
        line = Connection(client, self._timing, self._assignment.data_centre)
        try:
            await line.open(self._inbox.reached or self._place)
            await self._verify(line)
            self._line = line
            self._online.set()
            await Polling(line, self._inbox, self._says, self._timing).run()
        finally:
            self._line = None
            self._online.clear()
            # Not even a cancelled run may leave a line: the next owner of the key would be a second.
            await asyncio.shield(self._leave(line))

    async def _leave(self, line: Connection) -> None:
        await self._held.let_go(self._timing.part_limit)
        await line.close()

    async def _verify(self, line: Connection) -> None:
        """Let updates through only if this is the number's own account."""
        state = await line.state()
        self.owner = await self._owner_on(line)
        self._session_reporter.key(self.owner)
        if self._place_of not in {None, self.owner}:
            self._place_of, self._place = self.owner, None
            raise Unreachable("the phone has a new account, whose updates begin anew")
        await line.follow()
        if state.pts > line.place.pts:
            await self._inbox.begin_catch_up(line.place, state.pts)
            await line.catch_up()
        self._says.say(SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC)))

    async def _owner_on(self, line: Connection) -> int:
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
