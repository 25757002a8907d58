"""Moves the rows of one number between the journal and its worker."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from session_worker.protocol.chats import ChatsListed
from session_worker.protocol.messages import (
    Contact,
    Delivered,
    Drained,
    Failed,
    PartSent,
    Received,
    Resolved,
    StatusTold,
    Stored,
    Trying,
)
from supervisor.database.tables import Direction
from supervisor.errors import DatabaseError, WorkerUnavailable
from supervisor.journal.values import Waiting, may_have_been_sent
from supervisor.journal.worker_report import report_of
from supervisor.messages.commands import ChatCache, CommandFactory, RecipientQuestions
from supervisor.messages.governor import Governor
from supervisor.messages.hand_over import EchoFilter, HandOver
from supervisor.messages.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from session_worker.protocol.chats import ChatSelection
    from session_worker.protocol.contract import Command
    from session_worker.protocol.messages import MessageEvent
    from session_worker.protocol.outgoing import Outgoing
    from supervisor.journal.journal import Journal
    from supervisor.journal.pending import Excluded
    from supervisor.journal.values import Accepted, GapTrace, Recorded, StoredIncoming
    from supervisor.messages.file_links import FileLinks
    from supervisor.messages.message_service import OutgoingMessage
    from supervisor.messages.traffic import Watcher

    Load = Callable[[Excluded, int], Awaitable[tuple[list[Waiting], int]]]

MOST_REMEMBERED = 10_000  # messages that are searched for the rows of a gap


class Dispatcher:
    """Hands rows to the worker and records what happens to them.

    While there is no worker, everything stays in the journal.
    """

    def __init__(
        self,
        journal: Journal,
        links: FileLinks,
        language: str,
        clock: Callable[[], float] = time.time,
        watcher: Watcher | None = None,
        load_outgoing: Load | None = None,
    ) -> None:
        """Load what goes out in this way if other nodes store it as well."""
        self._watcher = watcher
        self._commands = CommandFactory(journal.number, links, language)
        self._epoch = 0
        self._tell: Callable[[Command], None] | None = None
        self._must_resync = False
        self._recent: deque[GapTrace] = deque(maxlen=MOST_REMEMBERED)
        self._recipient_questions = RecipientQuestions()
        self._echo_filter = EchoFilter(self._deliver)
        name = f"number {journal.number}, "
        self._in = HandOver(f"{name}into Planfix", self._load_incoming, self._hand_incoming)
        self._out = HandOver(
            f"{name}out to Telegram",
            load_outgoing or partial(journal.waiting, Direction.OUT),
            lambda each: self.send_to_worker(self._commands.send(each)),
            is_shared=load_outgoing is not None,
        )
        self._statuses = HandOver(
            f"{name}statuses",
            journal.owed,
            lambda each: self.send_to_worker(self._commands.status(each)),
        )
        self.hand_overs = (self._in, self._out, self._statuses)
        self.governor = Governor(journal.number, journal.budgets, language, self._out.reload, clock)
        self.number, self.journal = journal.number, journal
        self.traffic = Traffic(journal.number)
        self.chats = ChatCache(journal)
        self.planning = asyncio.Lock()
        self.drained = asyncio.Event()
        """Set when the worker has delivered its last message, or has ended."""

    async def prepare(self, epoch: int, *, is_bot: bool = False) -> None:
        """Load the rows whose outcome the previous worker did not report; use the new epoch from now on."""
        self._epoch = epoch
        self._commands.is_bot = is_bot
        self._must_resync = False
        self._recent.clear()
        self.chats.forget_all()
        await self.governor.load()
        self._echo_filter.start(await self.journal.rows_in_doubt(time.time()))

    @property
    def has_worker(self) -> bool:
        return self._tell is not None

    @property
    def is_quiet(self) -> bool:
        """Whether the worker holds no row."""
        return not any(hand_over.in_flight.rows for hand_over in self.hand_overs)

    def attach_worker(self, tell: Callable[[Command], None]) -> None:
        """Hand rows to a new worker, which has none yet."""
        self._tell = tell
        self.drained.clear()
        for hand_over in self.hand_overs:
            hand_over.start()
        self.governor.start()
        if self._watcher is not None:
            self._watcher.attach_worker(self.number)

    async def detach_worker(self) -> None:
        """Forget which rows the worker had; all of them are in the journal."""
        self._tell = None
        self.drained.set()
        if self._watcher is not None:
            self._watcher.detach_worker(self.number)
        self._recipient_questions.abort()
        await self.governor.stop()
        for hand_over in self.hand_overs:
            await hand_over.stop()

    async def record_events(self, events: Sequence[MessageEvent]) -> None:
        """Record a batch of events in one transaction, then act on them."""
        report = report_of(events)
        try:
            recorded = await self.journal.record(self._epoch, report, self._recent)
            await self.chats.load({kept.incoming.peer_id for kept in recorded.stored})
            await self.governor.record(events)
            if self._must_resync:
                await self._resynchronise()
        except DatabaseError:
            # The transaction may have been committed although we got an error; if so, nothing
            # else would act on these rows again.
            self._must_resync = True
            raise
        self._recent.extend(kept.trace for kept in recorded.stored)
        for memory in report.chats.values():
            self.chats.remember(memory)
        if report.positions:
            self.send_to_worker(Stored(positions=tuple(report.positions)))
        self._act(events, recorded)
        self.traffic.follow(events, recorded)

    async def accept(self, outgoing: Outgoing, new: Contact | None = None) -> Accepted:
        """Store what an employee wrote, and hand it to the worker unless it is a repeat.

        `new` is the recipient, if they had to be searched for.
        """
        first = await self.governor.admit(new) if new else None
        try:
            accepted = await self.journal.accept(outgoing, is_new_chat=new is not None, first=first)
        except BaseException:  # it may have been stored, and a repeat would not hand it over
            self._out.reload()
            self.governor.reload()
            raise
        if not accepted.is_repeat:
            if new:
                self.chats.add(outgoing.peer_id)
            self.traffic.begin(accepted.row)
            self._offer_outgoing(accepted.row, outgoing, is_first=first is not None)
            self.traffic.move()
        return accepted

    async def resolve(self, draft: OutgoingMessage) -> Contact:
        if self._tell is None:
            raise WorkerUnavailable
        if draft.phone:
            await self.governor.count_look_up()
        return await self._recipient_questions.ask(draft, self._tell)

    async def list_chats(self, selection: ChatSelection | None, *, with_names: bool) -> ChatsListed:
        """Ask the worker which chats go to Planfix; without a selection, under the current one."""
        return await self._recipient_questions.list_chats(selection, self._tell, names=with_names)

    async def replay(self, row: int) -> None:
        """Send a dead letter again, after the messages that wait in its chat."""
        direction = await self.journal.revive(row)
        (self._in if direction is Direction.IN else self._out).reload()
        self.traffic.move()

    async def replay_all(self) -> int:
        count = await self.journal.revive_all()
        self._in.reload()
        self._out.reload()
        self.traffic.move()
        return count

    def _act(self, events: Sequence[MessageEvent], recorded: Recorded) -> None:
        self._echo_filter.drop(recorded.dropped)
        self._in.remove(recorded.dropped)
        kept = iter(recorded.stored)
        for event in events:
            self._act_on(event, recorded, kept)
        for owed in recorded.owed:
            self._statuses.add(owed)
        if Drained() in events:
            self.drained.set()

    def _act_on(
        self, event: MessageEvent, recorded: Recorded, kept: Iterator[StoredIncoming]
    ) -> None:
        match event:
            case Received(is_for_planfix=True):
                self._offer_incoming(next(kept), recorded)
            case Trying(row=row):
                self._act_on_trying(row)
            case Failed():
                self._act_on_failed(event)
            case Delivered(row=row):
                self._in.remove([row])
            case PartSent(row=row) if row in recorded.sent:
                self._finish_outgoing(row)
            case StatusTold(row=row):
                self._statuses.remove([row])
            case Resolved() | ChatsListed():
                self._recipient_questions.resolve(event)
            case _:
                pass  # it is recorded, and nothing follows

    def _act_on_trying(self, row: int) -> None:
        self._in.in_flight.work(row)
        self._out.in_flight.work(row)
        peer_id = self._out.in_flight.rows.get(row)
        if peer_id is not None:
            self._echo_filter.mark_open(peer_id, row)

    def _act_on_failed(self, failed: Failed) -> None:
        row, failure = failed.row, failed.failure
        if failure.next_try is None:
            self._in.remove([row])
            self._finish_outgoing(row)
            return
        self._in.in_flight.rest(row)
        self._out.in_flight.rest(row)
        peer_id = self._out.in_flight.rows.get(row)
        if peer_id is not None and not may_have_been_sent(failure):
            self._echo_filter.release_chat(peer_id)

    def _finish_outgoing(self, row: int) -> None:
        self._out.remove([row])
        self._echo_filter.mark_known(row)
        if self._watcher is not None:
            self._watcher.finish(self.number, row)

    def _offer_outgoing(self, row: int, outgoing: Outgoing, *, is_first: bool) -> None:
        if self.governor.is_held(outgoing.peer_id):
            self._in.reload()  # a notice about it may have been stored with it
        else:
            self._out.add(Waiting(row, outgoing.peer_id, outgoing, is_first=is_first))

    def _offer_incoming(self, kept: StoredIncoming, recorded: Recorded) -> None:
        if kept.row is not None and kept.row not in recorded.dropped:
            self.traffic.begin(kept.row)
            self._in.add(Waiting(kept.row, kept.incoming.peer_id, kept.incoming))

    async def _resynchronise(self) -> None:
        """Ask the database, after it failed, which rows in flight are still pending."""
        in_flight = {*self._in.in_flight.rows, *self._out.in_flight.rows}
        finished = in_flight - await self.journal.still_pending(in_flight)
        self._echo_filter.drop(finished)
        self._in.remove(finished)
        for row in finished:
            self._finish_outgoing(row)
        for hand_over in self.hand_overs:
            hand_over.reload()
        self._must_resync = False

    async def _load_incoming(self, excluded: Excluded, limit: int) -> tuple[list[Waiting], int]:
        waiting, looked_at = await self.journal.waiting(Direction.IN, excluded, limit)
        await self.chats.load({each.peer_id for each in waiting})
        return waiting, looked_at

    def _hand_incoming(self, waiting: Waiting) -> None:
        if not self._echo_filter.add(waiting):
            self._in.in_flight.rest(waiting.row)

    def _deliver(self, waiting: Waiting) -> None:
        self._in.in_flight.work(waiting.row)
        memory = self.chats.recall(waiting.peer_id)
        self.send_to_worker(self._commands.deliver(waiting, memory, time.time()))

    def send_to_worker(self, command: Command) -> None:
        if self._tell is not None:
            self._tell(command)
