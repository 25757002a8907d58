"""One number: its Telegram account joined with its Planfix account."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.attachments import Fetcher
from session_worker.contract import WatchPlanfix
from session_worker.gap_filling import GapFilling
from session_worker.inbound import Inbound
from session_worker.lanes import Lanes
from session_worker.message import Deliver, Resolve, Send, Stored, TellStatus
from session_worker.outbound import Outbound
from session_worker.parcel import Packing, Sources
from session_worker.planfix import Planfix
from session_worker.proofs import Proofs
from session_worker.reception import Reception
from session_worker.recollection import Recollection
from session_worker.telegram.account import TelegramAccount
from session_worker.telegram.addresses import Addresses
from session_worker.telegram.backfill import Last
from session_worker.telegram.downloads import Downloads
from session_worker.telegram.history import History
from session_worker.telegram.listener import Listener
from session_worker.telegram.message_box import Gap
from session_worker.telegram.pace import Pace
from session_worker.telegram.people import People
from session_worker.telegram.profiles import Profiles
from session_worker.telegram.resolving import Resolver
from session_worker.telegram.throttle import Throttle
from session_worker.telegram.updates import CatchUp, CaughtUp
from session_worker.tls import tls_context
from session_worker.traces import Traces
from session_worker.whereabouts import Whereabouts
from session_worker.words import words_of

if TYPE_CHECKING:
    from session_worker.contract import Assignment, Command
    from session_worker.gate import Gate
    from session_worker.planfix import Patience
    from session_worker.session import Outbox
    from session_worker.telegram.fence import Right
    from session_worker.telegram.updates import Incoming

LARGEST_FILE = 100 * 1024 * 1024  # bytes; Planfix takes no larger ones
WHEREABOUTS = "messages"
SENT = "sent"
PROOFS = "proofs"


class Number:
    """Carries messages between Telegram and Planfix while the supervisor keeps the books."""

    def __init__(
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: Right,
        *,
        pace: Pace | None = None,
        gate: Gate | None = None,
        patience: Patience | None = None,
    ) -> None:
        pace = pace or Pace()
        self._outbox = outbox
        self._since = _last_known_moment(assignment)
        account = TelegramAccount(assignment, outbox, lease, on_update=self._take, pace=pace)
        spool, words = Path(assignment.spool), words_of(assignment.language)
        recollection, people = Recollection(), People(account.ask, lambda: account.owner)
        self._account = account
        self._whereabouts = Whereabouts(spool / WHEREABOUTS)
        sent = Whereabouts(spool / SENT)
        listener = Listener(people, recollection, (self._whereabouts, sent), words)
        self._reception = Reception(
            listener, self._whereabouts, outbox, words, account, pace.albums
        )
        self._gap_filling = GapFilling(account.ask, listener, self._reception, outbox)
        history = History(account.ask, recollection, words)
        downloads = Downloads(account.ask, account.ask_at, history, LARGEST_FILE)
        profiles = Profiles(account.ask)
        sources = Sources(downloads, history, profiles, account.until_online)
        packing = Packing(sources, spool, words, outbox)
        planfix = Planfix(assignment.planfix, assignment.number, patience)
        self._inbound = Inbound(planfix, packing, outbox, Proofs(spool / PROOFS), gate)
        throttle = Throttle(account)
        addresses = Addresses(account, throttle)
        fetcher = Fetcher(assignment.planfix.url, tls_context())
        traces = Traces(recollection, sent)
        self._outbound = Outbound(account, throttle, addresses, fetcher, outbox, traces, spool)
        self._resolver = Resolver(account, throttle, addresses)
        self._resolving: Lanes[Resolve] = Lanes(self._resolve)

    @property
    def last_heard(self) -> float | None:
        return self._account.last_heard

    @property
    def queue_depth(self) -> int:
        return self._account.queue_depth

    async def run(self) -> None:
        await self._whereabouts.open()
        jobs = {"account": self._account.run(), "albums": self._reception.run()}
        tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    async def stop(self) -> None:
        # The call under way to Planfix ends while the line to Telegram is closed.
        await asyncio.gather(self._account.stop(), self._inbound.close())

    async def handle(self, command: Command) -> None:
        match command:
            case Stored(positions=positions):
                await self._reception.stored(positions)
            case Deliver():
                self._inbound.deliver(command)
            case TellStatus():
                self._inbound.tell_status(command)
            case Send():
                self._outbound.send(command)
            case WatchPlanfix():
                self._inbound.watch(command)
            case Resolve(request_id=request_id):
                self._resolving.put(request_id, command)
            case _:
                await self._account.handle(command)

    async def _take(self, _: TelegramAccount, incoming: Incoming) -> None:
        match incoming.update:
            case Gap() as gap:
                last = Last(self._whereabouts.newest, self._since)
                await self._gap_filling.fill(incoming.position, gap, last)
            case CatchUp():
                self._reception.absence.begin()
                self._reception.nothing(incoming.position)
            case CaughtUp(what=catch_up):
                await self._reception.end_absence(incoming.position, catch_up)
            case update:
                await self._reception.take(incoming.position, update)

    async def _resolve(self, order: Resolve) -> None:
        answer = await self._resolver.resolve(order)
        # A worker after this one must be able to write to whom Planfix is about to know.
        self._account.tell_peers()
        await self._outbox.report(answer)

    async def _close(self) -> None:
        await asyncio.gather(self._inbound.close(), self._outbound.close(), self._resolving.close())


def _last_known_moment(assignment: Assignment) -> int:
    """Tell up to when the updates are surely known, in seconds since 1970."""
    state = assignment.session and assignment.session.update_state
    return state.date if state else int(time.time())
