"""The life of one Telegram account: connected, cut off, connected again, or lost."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from session_worker.contract import SessionChanged, SessionState, Trouble, TroubleCode
from session_worker.session import SessionEnded
from session_worker.telegram.client import AccountClient
from session_worker.telegram.clock import clock_trouble
from session_worker.telegram.errors import (
    Deaf,
    FloodWait,
    LeaseLost,
    NeedsLogin,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
    state_without_session,
    trouble_of,
)
from session_worker.telegram.fence import fenced
from session_worker.telegram.hearing import Hearing
from session_worker.telegram.line import Line
from session_worker.telegram.news import News
from session_worker.telegram.pace import Pace, pause_before
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
_CONNECTED = frozenset({SessionState.ONLINE, SessionState.LIMITED})


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
        self._outbox = outbox
        self._on_update = on_update
        self._pace = pace or Pace()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._lease_lost = asyncio.Event()
        self._session = WorkerSession(assignment.session, assignment.data_centre)
        self._news = News(outbox, self._session)
        self._inbox = Inbox(INBOX, self._news.moved)
        self._connection = fenced(lease, self._lease_lost.set)
        self._line: Line | None = None
        self._online = asyncio.Event()
        self._limit: Trouble | None = None
        self._deafness: Trouble | None = None
        self._said: SessionChanged | None = None

    @property
    def last_heard(self) -> float | None:
        return self._inbox.last_heard

    @property
    def queue_depth(self) -> int:
        return self._inbox.depth + (self._line.backlog if self._line else 0)

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
        """Tell the key under which this account may address somebody."""
        row = self._session.get_entity_rows_by_id(peer_id)
        return row[1] if row else None

    def tell_peers(self) -> None:
        """Have the peers that became known stored before anything that is said of them."""
        self._news.tell()

    def limit(self, trouble: Trouble | None) -> None:
        """Say that Telegram limits what we send, or no longer does."""
        self._limit = trouble
        if self._said is not None and self._said.state in _CONNECTED:
            self._say(SessionState.ONLINE)

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

    async def _hand_over(self) -> None:
        while True:
            incoming = await self._inbox.take()
            await self._on_update(self, incoming)

    async def _stay_connected(self) -> None:
        self._say(SessionState.CONNECTING)
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

    def _meet(self, error: TelegramError, attempt: int) -> float:
        """Say why the line is gone; how long to wait before the next one."""
        trouble = trouble_of(error)
        if isinstance(error, Deaf):
            self._deafness = trouble
            self._say(SessionState.DEAF, trouble)
        else:
            self._say(SessionState.RECONNECTING, trouble)
        # An outage is told once; its end shows in the state.
        log.log(logging.INFO if attempt <= 1 else logging.DEBUG, "line to Telegram lost: %s", error)
        return max(pause_before(attempt, self._pace), trouble.retry_after or 0.0)

    async def _serve_one_line(self) -> None:
        """Open a line and use it until it is cut, which is always an error."""
        client = AccountClient(
            self._session,
            self._assignment.application,
            self._connection,
            self._pace,
            self._inbox.arrived,
        )
        line = Line(client, self._pace, self._assignment.data_centre)
        try:
            await line.open(self._inbox.reached or self._stored_place())
            await self._verify(line)
            self._line = line
            self._online.set()
            hearing = Hearing()
            while True:
                await line.until_cut(self._pace.poll_interval)
                await self._poll(line, hearing)
        finally:
            self._line = None
            self._online.clear()
            # Not even a cancelled run may leave a line: the next owner of the key would be a second.
            await asyncio.shield(line.close())

    def _stored_place(self) -> Any:
        return self._assignment.session and self._assignment.session.update_state

    async def _verify(self, line: Line) -> None:
        """Let updates through only if this is the number's own account."""
        state = await line.state()
        me = await line.me()
        if me.phone and _digits(me.phone) != _digits(self._assignment.number):
            raise NeedsLogin(
                Trouble(
                    code=TroubleCode.WRONG_ACCOUNT, detail=f"this is the account of +{me.phone}"
                )
            )
        self._news.key(me.id)
        await line.follow()
        if state.pts > line.place.pts:
            await self._inbox.begin_catch_up(line.place, state.pts)
            await line.catch_up()
        self._say(SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC)))

    async def _poll(self, line: Line, hearing: Hearing) -> None:
        """Find out what silence hides: a dead line, a lost session, missed updates."""
        try:
            state = await line.state()
        except (FloodWait, TemporarilyFailed, Refused) as error:
            log.info("poll not answered as asked: %s", error)
            return
        missed = await self._is_behind(line, state.pts)
        if missed:
            await line.catch_up()
        if hearing.is_deaf_after(line.pushes, missed):
            raise Deaf(f"updates up to {state.pts} came only when asked for")
        if line.pushes or not missed:
            self._deafness = None
        self._say(SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC)))

    async def _is_behind(self, line: Line, pts: int) -> bool:
        """Whether Telegram has had something for us for longer than a moment."""
        if line.place.pts >= pts:
            return False
        await line.until_cut(self._pace.settle)
        # Updates that only wait for their turn are not missed.
        return line.place.pts < pts and not line.backlog and not self._inbox.is_full

    def _say(self, state: SessionState, trouble: Trouble | None = None) -> None:
        if state is SessionState.ONLINE and self._deafness is not None:
            # A new line alone proves nothing: it has to hear something, or to miss nothing.
            state, trouble = SessionState.DEAF, self._deafness
        elif state is SessionState.ONLINE and self._limit is not None:
            state, trouble = SessionState.LIMITED, self._limit
        change = SessionChanged(state=state, trouble=trouble)
        if _gist(change) != _gist(self._said):
            self._said = change
            self._outbox.put(change)


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _gist(change: SessionChanged | None) -> tuple[SessionState, TroubleCode | None] | None:
    """Reduce a change to what is worth telling; wording varies with every measurement."""
    if change is None:
        return None
    return change.state, change.trouble.code if change.trouble else None


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
