"""Keeps one Telegram account connected and hands its updates over."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from session_worker.protocol.contract import SessionState, Trouble, TroubleCode
from session_worker.session import ConnectionLeftOpen, SessionEnded
from session_worker.telegram.connection.announcements import Announcements
from session_worker.telegram.connection.client import AccountClient
from session_worker.telegram.connection.connection import (
    Connection,
    ConnectionTiming,
    fenced,
    require_own,
)
from session_worker.telegram.connection.polling import Polling, clock_trouble
from session_worker.telegram.connection.session_memory import Names, SessionReporter, WorkerSession
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
from session_worker.telegram.proxy import HeldConnections

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.session_memory import MayReport
    from session_worker.telegram.connection.updates import PositionedUpdate

    OnUpdate = Callable[["TelegramAccount", PositionedUpdate], Awaitable[None]]

logger = logging.getLogger(__name__)

INBOX = 1000  # updates that may wait to be stored


class TelegramAccount:
    """Keeps one account connected and hands its updates over, in order."""

    def __init__(
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: WritePermit,
        *,
        on_update: OnUpdate,
        timing: ConnectionTiming | None = None,
    ) -> None:
        self._assignment, stored = assignment, assignment.session
        self.owner = self._start_owner = stored.user_id if stored else None
        self._announcements = Announcements(outbox)
        self._on_update = on_update
        self._timing = timing or ConnectionTiming()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._lease_lost = asyncio.Event()
        self._session = WorkerSession(stored, assignment.data_centre, is_bot=assignment.is_bot)
        self._session_reporter = SessionReporter(outbox, self._session)
        self._inbox = Inbox(INBOX, self._session_reporter.report_update_state)
        self._start_state = stored.update_state if stored else None
        self._held_connections = HeldConnections()
        self._transport = fenced(
            lease, self._lease_lost.set, assignment.proxy, self._held_connections
        )
        self._connection: Connection | None = None
        self._online = asyncio.Event()
        self.connections = 0

    @property
    def last_heard(self) -> float | None:
        return self._inbox.last_heard

    @property
    def queue_depth(self) -> int:
        return self._inbox.depth + (self._connection.backlog if self._connection else 0)

    @property
    def is_behind(self) -> bool:
        """Whether something may have been written that cannot have arrived here yet."""
        connection = self._connection
        return (
            connection is None
            or connection.is_behind
            or connection.backlog > 0
            or self._inbox.is_catching_up
        )

    async def run(self) -> None:
        if self._assignment.session is None:
            raise SessionEnded(SessionState.NEEDS_LOGIN, Trouble(code=TroubleCode.NO_SESSION))
        tasks = [
            asyncio.create_task(job, name=name)
            for name, job in (
                ("connection", self._stay_connected()),
                ("updates", self._process_updates()),
                ("stop", self._stopping.wait()),
                ("lease", self._lease_lost.wait()),
            )
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)
            self._session_reporter.flush()
            self._ended.set()
        self._raise_outcome(tasks)

    async def stop(self) -> None:
        self._stopping.set()
        await self._ended.wait()

    async def handle(self, command: Command) -> None:
        logger.warning("the session has no use for the command %s", command.kind)

    async def until_online(self) -> None:
        """Wait for a connection on which requests can be sent."""
        await self._online.wait()

    def access_hash(self, peer_id: int) -> int | None:
        """Return the access hash under which this login may address somebody."""
        row = self._session.get_entity_rows_by_id(peer_id)
        return row[1] if row else None

    def names(self, peer_id: int) -> Names | None:
        """Return the names by which a known person can be looked up."""
        return self._session.names(peer_id)

    def keep_phone(self, peer_id: int, phone: str) -> None:
        """Remember the phone that somebody has shown to this bot."""
        self._session.keep_phone(peer_id, phone)

    def phone_of(self, peer_id: int) -> str | None:
        """Return the phone that somebody has shown to this bot; Telegram shows a bot none."""
        names = self.names(peer_id) if self._assignment.is_bot else None
        return names.phone if names else None

    def find_phone(self, phone: str) -> int | None:
        """Return who has this phone, among the people whom this account knows."""
        found = self._session.get_entity_rows_by_phone(phone)
        return found[0] if found else None

    def choose_entities(self, may_report: MayReport) -> None:
        """Report only those people about whom something may be stored."""
        self._session_reporter.may_report = may_report

    def report_folders(self, missing: Sequence[str]) -> None:
        """Report which folders are missing in the account, although the selection of chats names them."""
        self._announcements.report_folders(missing)

    def report_entities(self) -> None:
        """Report new entities now, so that they are stored before anything that refers to them."""
        self._session_reporter.flush()

    def limit(self, trouble: Trouble | None) -> None:
        """Report that Telegram limits what we send, or no longer does."""
        self._announcements.report_limit(trouble)

    @property
    def connection(self) -> Connection:
        """The open connection; raises Unreachable while there is none."""
        if self._connection is None:
            raise Unreachable("not connected")
        return self._connection

    async def ask(self, request: Any) -> Any:
        """Send a request on the open connection."""
        return await self.connection.ask(request)

    async def ask_at(self, dc_id: int, request: Any) -> Any:
        """Send a request to the data centre that stores a file."""
        return await self.connection.ask_at(dc_id, request)

    def acknowledge(self, position: int) -> None:
        """Record that the update at this position is stored."""
        self._inbox.acknowledge(position)

    def _raise_outcome(self, tasks: list[asyncio.Task[Any]]) -> None:
        if self._lease_lost.is_set():
            raise LeaseLost
        for task in tasks:
            if not task.cancelled():
                task.result()
        if self._held_connections:
            raise ConnectionLeftOpen

    async def _process_updates(self) -> None:
        while True:
            incoming = await self._inbox.take()
            await self._on_update(self, incoming)

    async def _stay_connected(self) -> None:
        self._announcements.announce(SessionState.CONNECTING)
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                await self._serve_one_connection()
            except NeedsLogin as lost:
                raise SessionEnded(state_without_session(lost.trouble), lost.trouble) from lost
            except TelegramError as error:
                lasted = time.monotonic() - began
                attempt = 0 if lasted > self._timing.stable_after else attempt + 1
                await asyncio.sleep(self._report_lost(error, attempt))
                self._held_connections.forget()

    def _report_lost(self, error: TelegramError, attempt: int) -> float:
        """Report why the connection was lost, and return the pause before the next one."""
        trouble = trouble_of(error)
        if isinstance(error, Deaf):
            self._announcements.report_deafness(trouble)
        else:
            self._announcements.announce(SessionState.RECONNECTING, trouble)
        # An outage is logged once; its end shows in the state.
        level = logging.INFO if attempt <= 1 else logging.DEBUG
        logger.log(level, "the connection to Telegram was lost: %s", error)
        # While the proxy still holds the old connection, a new one with the same key could cost
        # the login.
        linger = self._timing.proxy_hold_limit if self._held_connections else 0.0
        return max(self._timing.pause_before(attempt), trouble.retry_after or 0.0, linger)

    async def _serve_one_connection(self) -> None:
        """Open a connection and use it until it is lost, which is always an error."""
        client = AccountClient(
            self._session,
            self._assignment.application,
            self._transport,
            self._timing,
            self._inbox.put,
            self._announcements.report_undecodable,
        )
        connection = Connection(client, self._timing, self._assignment.data_centre)
        try:
            await connection.open(self._inbox.reached or self._start_state)
            await self._verify(connection)
            self._connection = connection
            self.connections += 1
            self._online.set()
            await Polling(connection, self._inbox, self._announcements, self._timing).run()
        finally:
            self._connection = None
            self._online.clear()
            # Even a cancelled run must close its connection, because the next owner of the key
            # would be a second one.
            await asyncio.shield(self._close(connection))

    async def _close(self, connection: Connection) -> None:
        await self._held_connections.close_our_halves(self._timing.proxy_close_limit)
        await connection.close()

    async def _verify(self, connection: Connection) -> None:
        """Let updates through only if this is the number's own account."""
        state = await connection.state()
        self.owner = await self._owner_of(connection)
        self._session_reporter.report_key(self.owner)
        if self._start_owner not in {None, self.owner}:
            self._start_owner, self._start_state = self.owner, None
            raise Unreachable("the phone has a new account, whose updates start from the beginning")
        if is_behind := state.pts > connection.update_state.pts:
            await self._inbox.start_catch_up(connection.update_state, state.pts)
        await connection.follow()
        if is_behind:
            await connection.catch_up()
        # Whoever learns that the account is online relies on receiving everything from here on,
        # even if this process ends at once.
        self._session_reporter.flush()
        self._announcements.announce(
            SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC))
        )

    async def _owner_of(self, connection: Connection) -> int:
        """Return the id of the account; raises if it is not the number's own."""
        try:
            me = await connection.me()
        except Undecodable:
            # A login never changes its account, so what was found out earlier still holds.
            if self.owner is None:
                raise
            return self.owner
        require_own(me, self._assignment.number, is_bot=self._assignment.is_bot)
        return int(me.id)


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
