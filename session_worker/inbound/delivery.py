"""Delivers messages to Planfix, each until Planfix has accepted or finally rejected it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.lanes import Lanes
from session_worker.planfix.answer import PlanfixError, PlanfixRejected
from session_worker.planfix.circuit_breaker import CircuitBreaker, ask_until_answered, failure_of
from session_worker.planfix.client import PlanfixMessage, full_name
from session_worker.planfix.status_reporter import StatusReporter
from session_worker.protocol.contract import PlanfixChanged
from session_worker.protocol.messages import (
    ChatMemory,
    ChatRemembered,
    Contact,
    Delivered,
    Drained,
    Failed,
    Failure,
    FailureCode,
    Trying,
)

if TYPE_CHECKING:
    from session_worker.inbound.message_assembly import AssembledMessage, MessageAssembler
    from session_worker.inbound.progress import DeliveredLog
    from session_worker.planfix.client import PlanfixClient
    from session_worker.protocol.contract import WatchPlanfix
    from session_worker.protocol.messages import Deliver, TellStatus
    from session_worker.session import Outbox


# The previous worker's reason to wait may be gone, and only a call to Planfix shows that.
LONGEST_WAIT = 3.0  # seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Introduction:
    """What Planfix learns about a contact in addition to the message."""

    photo_link: str
    bio: str


MOST_CHATS = 2000
TASK_LASTS = 3600.0  # seconds after which a task may have been closed and replaced by another


class ChatMemories:
    """What this process has learnt about chats, which is newer than what the supervisor sent."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._memories: OrderedDict[int, tuple[ChatMemory, float]] = OrderedDict()

    def get(self, stored: ChatMemory) -> ChatMemory:
        """Return what is known of a chat, given what the supervisor has stored."""
        return self._find(stored)[0]

    def is_task_old(self, stored: ChatMemory) -> bool:
        """Whether the chat may have another task by now."""
        return time.monotonic() - self._find(stored)[1] > TASK_LASTS

    def remember_task(self, stored: ChatMemory, task: int | None) -> None:
        memory, _ = self._find(stored)
        self._change(memory, memory.model_copy(update={"task": task}), time.monotonic())

    def remember_contact(self, stored: ChatMemory, contact: Contact) -> None:
        memory, asked_at = self._find(stored)
        self._change(memory, memory.model_copy(update={"contact": contact}), asked_at)

    def _find(self, stored: ChatMemory) -> tuple[ChatMemory, float]:
        """Return a memory with the time of its task; other chats may have displaced it meanwhile."""
        if stored.peer_id not in self._memories:
            self._store(stored, time.monotonic())
        self._memories.move_to_end(stored.peer_id)
        return self._memories[stored.peer_id]

    def _change(self, before: ChatMemory, memory: ChatMemory, asked_at: float) -> None:
        self._store(memory, asked_at)
        if memory != before:
            self._outbox.put(ChatRemembered(chat=memory))

    def _store(self, memory: ChatMemory, asked_at: float) -> None:
        self._memories[memory.peer_id] = memory, asked_at
        if len(self._memories) > MOST_CHATS:
            self._memories.popitem(last=False)


class Delivery:
    """Retries until Planfix accepts or finally rejects the message."""

    def __init__(
        self,
        planfix: PlanfixClient,
        circuit_breaker: CircuitBreaker,
        chats: ChatMemories,
        assembler: MessageAssembler,
        outbox: Outbox,
        delivered_log: DeliveredLog,
    ) -> None:
        self._planfix = planfix
        self._circuit_breaker = circuit_breaker
        self._chats = chats
        self._assembler = assembler
        self._outbox = outbox
        self._delivered_log = delivered_log

    async def deliver(self, command: Deliver) -> None:
        """Deliver one row; its final outcome has been reported when this returns."""
        try:
            if await self._delivered_log.contains(command.incoming):
                logger.info("row %s was delivered before a crash", command.row)
                self._outbox.put(Delivered(row=command.row))
                return
            await asyncio.sleep(min(command.next_try - time.time(), LONGEST_WAIT))
            assembled = await self._assembler.assemble(command)
            # This is fetched before a slot is taken, because others wait for that slot.
            introduction = await self._fetch_introduction(command)
            failure = await self._try(command, assembled, introduction)
            while failure is not None and failure.next_try is not None:
                if failure.code == FailureCode.ANSWER_LOST:
                    command = command.model_copy(update={"is_uncertain": True})
                failure = await self._try(command, assembled, introduction)
        except Exception:  # the root of a row: a bug in one must not stop the rows behind it
            logger.exception("the delivery of row %s failed", command.row)
            self._outbox.put(Failed(row=command.row, failure=Failure(code=FailureCode.INTERNAL)))

    async def _try(
        self, command: Deliver, assembled: AssembledMessage, introduction: Introduction
    ) -> Failure | None:
        """Try once, report the outcome and return the failure, if there was one."""
        async with self._circuit_breaker.slot():
            try:
                await self._deliver_once(command, assembled, introduction)
            except PlanfixError as error:
                failure = failure_of(error, self._circuit_breaker)
                self._outbox.put(Failed(row=command.row, failure=failure))
                return failure
            self._delivered_log.add(command.incoming)
            self._circuit_breaker.succeeded()
            self._outbox.put(Delivered(row=command.row))
            return None

    async def _deliver_once(
        self, command: Deliver, assembled: AssembledMessage, introduction: Introduction
    ) -> None:
        before = self._chats.get(command.chat)
        task = await self._find_task(before)
        if command.is_uncertain and before.task is None and task is not None:
            # The first message of a chat creates its task, so an earlier try must have succeeded.
            logger.info("row %s was delivered before", command.row)
        else:
            await self._post(command, assembled, introduction, has_task=task is not None)
        if is_known(command.incoming.contact):
            self._chats.remember_contact(command.chat, command.incoming.contact)

    async def _find_task(self, chat: ChatMemory) -> int | None:
        if self._circuit_breaker.is_suspect:
            # Planfix may be away: an unanswered question does no harm, but an unanswered message
            # may have been accepted.
            task = await ask_until_answered(
                lambda: self._planfix.get_task(chat.peer_id), self._circuit_breaker.may_ask_again
            )
        elif chat.task is not None and not self._chats.is_task_old(chat):
            return chat.task
        else:
            task = await self._planfix.get_task(chat.peer_id)
        self._chats.remember_task(chat, task)
        return task

    async def _post(
        self,
        command: Deliver,
        assembled: AssembledMessage,
        introduction: Introduction,
        *,
        has_task: bool,
    ) -> None:
        await self._update_contact(command, introduction.photo_link)
        known, contact = self._chats.get(command.chat).contact, command.incoming.contact
        if known is not None and not is_known(contact):
            contact = known
        message = PlanfixMessage(
            contact=contact,
            text=assembled.text,
            is_echo=command.incoming.is_echo,
            title="" if has_task else full_name(contact),
            bio=None if has_task else introduction.bio,
            photo_link=introduction.photo_link,
            files=assembled.files,
        )
        async with self._circuit_breaker.posting():
            self._outbox.put(Trying(row=command.row))
            await self._planfix.new_message(message)

    async def _fetch_introduction(self, command: Deliver) -> Introduction:
        """Fetch a photo that Planfix has not seen, and the bio of a contact that has no task yet."""
        contact, before = command.incoming.contact, self._chats.get(command.chat)
        is_new_photo = before.contact is None or before.contact.photo_id != contact.photo_id
        has_photo = is_new_photo and await self._assembler.has_photo(command)
        bio = await self._assembler.bio(command) if before.task is None else ""
        return Introduction((command.photo_link or "") if has_photo else "", bio)

    async def _update_contact(self, command: Deliver, photo_link: str) -> None:
        """Update the contact in Planfix if it has changed."""
        contact, known = command.incoming.contact, self._chats.get(command.chat).contact
        if known is not None and known != contact and is_known(contact):
            try:
                await self._planfix.update_contact(contact, photo_link)
            except PlanfixRejected as error:
                logger.warning("Planfix rejects the update of a contact: %s", error)


def is_known(contact: Contact) -> bool:
    """Whether Telegram has said who this is."""
    return contact != Contact(peer_id=contact.peer_id)


class PlanfixDelivery:
    """Takes the messages that the supervisor has stored and delivers them to Planfix."""

    def __init__(
        self,
        planfix: PlanfixClient,
        assembler: MessageAssembler,
        outbox: Outbox,
        delivered_log: DeliveredLog,
        circuit_breaker: CircuitBreaker | None = None,
    ) -> None:
        self._planfix = planfix
        self._outbox = outbox
        self._draining: asyncio.Task[None] | None = None
        self._circuit_breaker = circuit_breaker or CircuitBreaker()
        self._circuit_breaker.tell = lambda is_away: outbox.put(PlanfixChanged(is_away=is_away))
        delivery = Delivery(
            planfix, self._circuit_breaker, ChatMemories(outbox), assembler, outbox, delivered_log
        )
        self._messages: Lanes[Deliver] = Lanes(delivery.deliver)
        self._statuses: Lanes[TellStatus] = Lanes(
            StatusReporter(planfix, self._circuit_breaker, outbox).report
        )

    @property
    def depth(self) -> int:
        """How many messages wait for Planfix."""
        return self._messages.depth

    def deliver(self, command: Deliver) -> None:
        """Queue a message behind all earlier ones of the same chat."""
        self._messages.put(command.incoming.peer_id, command)

    def tell_status(self, command: TellStatus) -> None:
        """Queue a status behind all earlier ones of the same message."""
        self._statuses.put(command.planfix_id, command)

    def watch(self, order: WatchPlanfix) -> None:
        self._circuit_breaker.watch(is_lookout=order.is_lookout, try_now=order.try_now)

    def drain(self) -> None:
        """Start nothing more, and report when no message is on its way."""
        self._draining = self._draining or asyncio.create_task(self._drain(), name="draining")

    async def close(self) -> None:
        """Let running calls end and start no others; the supervisor still has what is left."""
        await self._circuit_breaker.close(self._circuit_breaker.grace)
        await self._messages.close()
        await self._statuses.close()
        await self._planfix.close()
        if self._draining is not None:
            self._draining.cancel()

    async def _drain(self) -> None:
        await self._circuit_breaker.drain()
        self._outbox.put(Drained())
