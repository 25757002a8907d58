"""The session of a number that carries messages between its Telegram account and its Planfix account."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.failures import CHAT_LEFT_OUT
from session_worker.inbound.delivery import PlanfixDelivery
from session_worker.inbound.gap_filling import GapFilling
from session_worker.inbound.history_delivery import (
    HistoryDelivery,
    HistoryOrder,
    HistorySources,
)
from session_worker.inbound.message_assembly import MessageAssembler, Sources
from session_worker.inbound.progress import DELIVERED_LOG, DeliveredLog
from session_worker.inbound.receiver import UpdateReceiver
from session_worker.lanes import Lanes
from session_worker.network.guarded_transport import tls_context
from session_worker.outbound.attachments import Fetcher
from session_worker.outbound.sender import TelegramSender
from session_worker.planfix.client import PlanfixClient
from session_worker.protocol.chats import LeftOut, ListChats
from session_worker.protocol.contract import WatchPlanfix
from session_worker.protocol.messages import (
    Deliver,
    Drain,
    Failed,
    Failure,
    Resolve,
    Resolved,
    Send,
    Stored,
    TellStatus,
)
from session_worker.telegram.connection.account import TelegramAccount
from session_worker.telegram.connection.updates import CatchUp, CaughtUp, Gap
from session_worker.telegram.reading.chosen_chats import ChosenChats
from session_worker.telegram.reading.downloads import Downloads
from session_worker.telegram.reading.history import Last
from session_worker.telegram.reading.message_memory import (
    MessageIndex,
    MessageLookup,
    RecentMessages,
    SentMessages,
)
from session_worker.telegram.reading.people import People, Profiles
from session_worker.telegram.reading.update_parser import UpdateParser
from session_worker.telegram.sending.flood_control import FloodControl
from session_worker.telegram.sending.recipient_search import AccessHashes, RecipientSearch
from session_worker.texts import texts_of

if TYPE_CHECKING:
    from session_worker.inbound.albums import AlbumTiming
    from session_worker.inbound.history_delivery import HistoryPace
    from session_worker.planfix.circuit_breaker import CircuitBreaker
    from session_worker.planfix.client import PlanfixTimeouts
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.connection import ConnectionTiming
    from session_worker.telegram.connection.updates import PositionedUpdate

LARGEST_FILE = 100 * 1024 * 1024  # bytes; Planfix accepts no larger files
MESSAGE_INDEX = "messages"
SENT = "sent"
HISTORY = "history"


class NumberSession:
    """Carries messages between Telegram and Planfix, while the supervisor stores them."""

    parser_class: type[UpdateParser] = UpdateParser
    access_hashes_class: type[AccessHashes] = AccessHashes

    def __init__(  # noqa: PLR0913 - tests set the pace of each side
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: WritePermit,
        *,
        timing: ConnectionTiming | None = None,
        albums: AlbumTiming | None = None,
        circuit_breaker: CircuitBreaker | None = None,
        timeouts: PlanfixTimeouts | None = None,
        pace: HistoryPace | None = None,
    ) -> None:

        self._outbox = outbox
        self._since = _last_known_moment(assignment)
        account = TelegramAccount(
            assignment, outbox, lease, on_update=self._process_update, timing=timing
        )
        spool, texts = Path(assignment.spool), texts_of(assignment.language)
        recent_messages = RecentMessages()
        people = People(account.ask, lambda: account.owner, account.phone_of)
        self._account = account
        self._message_index = MessageIndex(spool / MESSAGE_INDEX)
        self._chosen = ChosenChats(assignment.chats, account, people)
        account.choose_entities(self._chosen.may_report)
        indexes = self._message_index, MessageIndex(spool / SENT)
        parser = self._parser = self.parser_class(
            people, recent_messages, indexes, texts, self._chosen
        )
        self._receiver = UpdateReceiver(parser, self._message_index, outbox, texts, account, albums)
        self._gap_filling = GapFilling(
            account.ask, parser, self._receiver, outbox, self._chosen, is_bot=assignment.is_bot
        )
        lookup = MessageLookup(account.ask, recent_messages, texts)
        downloads = Downloads(account.ask, account.ask_at, lookup, LARGEST_FILE)
        profiles = Profiles(account.ask)
        sources = Sources(downloads, lookup, profiles, account.until_online)
        assembler = MessageAssembler(sources, spool, texts, outbox)
        planfix = PlanfixClient(assignment.planfix, assignment.number, timeouts)
        self._planfix_delivery = PlanfixDelivery(
            planfix, assembler, outbox, DeliveredLog(spool / DELIVERED_LOG), circuit_breaker
        )
        self._history = HistoryDelivery(
            HistoryOrder(assignment.history_since, assignment.chats, spool / HISTORY),
            HistorySources(account.ask, parser, self._receiver, self._chosen, outbox, texts),
            lambda: self._planfix_delivery.depth,
            pace,
        )
        flood_control = FloodControl(account)
        access_hashes = self.access_hashes_class(account, flood_control)
        fetcher = Fetcher(assignment.planfix.url, tls_context())
        self._sender = TelegramSender(
            account,
            flood_control,
            access_hashes,
            fetcher,
            outbox,
            SentMessages(recent_messages, indexes[1]),
            spool,
        )
        self._resolver = RecipientSearch(account, flood_control, access_hashes)
        self._left_out = texts.left_out
        self._resolving: Lanes[Resolve | ListChats] = Lanes(self._resolve)
        self._deciding: Lanes[Deliver | Send] = Lanes(self._decide)

    @property
    def last_heard(self) -> float | None:
        return self._account.last_heard

    @property
    def queue_depth(self) -> int:
        return self._account.queue_depth

    async def run(self) -> None:
        await self._message_index.open()
        await self._history.open()
        jobs = {
            "account": self._account.run(),
            "albums": self._receiver.run(),
            "history": self._history.run(),
        }
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
        # Running calls to Planfix end while the connection to Telegram is closed.
        await asyncio.gather(self._account.stop(), self._planfix_delivery.close())

    async def handle(self, command: Command) -> None:
        match command:
            case Stored(positions=positions):
                self._history.record_stored(positions)
                await self._receiver.acknowledge_stored(positions)
            case Deliver(incoming=incoming):
                self._deciding.put((Deliver, incoming.peer_id), command)
            case TellStatus():
                self._planfix_delivery.tell_status(command)
            case Send(outgoing=outgoing):
                self._deciding.put((Send, outgoing.peer_id), command)
            case Drain():
                self._planfix_delivery.drain()
            case WatchPlanfix():
                self._planfix_delivery.watch(command)
            case Resolve(request_id=request_id) | ListChats(request_id=request_id):
                self._resolving.put(request_id, command)
            case _:
                await self._account.handle(command)

    async def _process_update(self, _: TelegramAccount, incoming: PositionedUpdate) -> None:
        self._message_index.begin(incoming.position)
        match incoming.update:
            case Gap() as gap:
                last = Last(self._message_index.newest, self._since)
                await self._gap_filling.fill(incoming.position, gap, last)
            case CatchUp():
                self._receiver.catch_up_counter.start()
                self._receiver.acknowledge(incoming.position)
            case CaughtUp(what=catch_up):
                await self._receiver.end_catch_up(incoming.position, catch_up)
            case update:
                await self._receiver.receive(incoming.position, update)

    async def _decide(self, command: Deliver | Send) -> None:
        """Pass a message on unless its chat is left out."""
        match command:
            case Deliver(row=row, incoming=incoming):
                if await self._chosen.until_decided(incoming.peer_id, incoming.contact):
                    self._planfix_delivery.deliver(command)
                else:
                    await self._outbox.report(LeftOut(row=row))
            case Send(row=row, outgoing=outgoing):
                if await self._chosen.until_decided(outgoing.peer_id):
                    self._sender.send(command)
                else:
                    failure = Failure(code=CHAT_LEFT_OUT)
                    await self._outbox.report(Failed(row=row, failure=failure))

    async def _resolve(self, command: Resolve | ListChats) -> None:
        if isinstance(command, ListChats):
            await self._outbox.report(await self._chosen.list(command))
            return
        answer = await self._resolver.resolve(command)
        found = answer.contact
        if found is not None and not await self._chosen.until_decided(found.peer_id, found):
            failure = Failure(code=CHAT_LEFT_OUT, detail=self._left_out)
            answer = Resolved(request_id=command.request_id, failure=failure)
        # Planfix is about to learn of this contact, so the next worker must be able to write to it.
        self._account.report_entities()
        await self._outbox.report(answer)

    async def _close(self) -> None:
        await asyncio.gather(
            self._planfix_delivery.close(),
            self._sender.close(),
            self._resolving.close(),
            self._deciding.close(),
        )


def _last_known_moment(assignment: Assignment) -> int:
    """Return the time up to which the updates are known, in seconds since 1970."""
    state = assignment.session and assignment.session.update_state
    return state.date if state else int(time.time())
