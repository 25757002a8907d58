"""One row on its way to Planfix, until Planfix has accepted or finally rejected it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.inbound.chat_memory import ChatMemories
from session_worker.lanes import Lanes
from session_worker.planfix.answer import PlanfixError, PlanfixRejected
from session_worker.planfix.circuit_breaker import CircuitBreaker, failure_of
from session_worker.planfix.form import PlanfixMessage, full_name
from session_worker.planfix.hedging import ask_until_answered
from session_worker.planfix.status_reporter import StatusReporter
from session_worker.protocol.contract import PlanfixChanged
from session_worker.protocol.messages import (
    Contact,
    Delivered,
    Failed,
    Failure,
    FailureCode,
    Trying,
)

if TYPE_CHECKING:
    from session_worker.inbound.delivered_log import DeliveredLog
    from session_worker.inbound.message_assembly import AssembledMessage, MessageAssembler
    from session_worker.planfix.client import PlanfixClient
    from session_worker.protocol.contract import WatchPlanfix
    from session_worker.protocol.messages import ChatMemory, Deliver, TellStatus
    from session_worker.session import Outbox


LONGEST_WAIT = 3.0  # seconds; what kept the last worker waiting may be over, the gate finds out

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Introduction:
    """What is told of a contact besides the message."""

    photo_link: str
    bio: str


class Delivery:
    """Tries until there is a last word."""

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

    async def bring(self, order: Deliver) -> None:
        """Deliver a row; its last word has been told when this returns."""
        try:
            if await self._delivered_log.contains(order.incoming):
                log.info("row %s was taken before a crash", order.row)
                self._outbox.put(Delivered(row=order.row))
                return
            await asyncio.sleep(min(order.next_try - time.time(), LONGEST_WAIT))
            assembled = await self._assembler.assemble(order)
            # Fetched before a place among the callers is taken: others wait for that.
            introduction = await self._introduce(order)
            failure = await self._try(order, assembled, introduction)
            while failure is not None and failure.next_try is not None:
                if failure.code == FailureCode.ANSWER_LOST:
                    order = order.model_copy(update={"is_uncertain": True})
                failure = await self._try(order, assembled, introduction)
        except Exception:  # the root of a row: a bug in one must not stop those behind it
            log.exception("row %s failed", order.row)
            self._outbox.put(Failed(row=order.row, failure=Failure(code=FailureCode.INTERNAL)))

    async def _try(
        self, order: Deliver, assembled: AssembledMessage, introduction: Introduction
    ) -> Failure | None:
        """Try once; tells what happened, returns why it came to nothing."""
        async with self._circuit_breaker.slot():
            try:
                await self._deliver(order, assembled, introduction)
            except PlanfixError as error:
                failure = failure_of(error, self._circuit_breaker)
                self._outbox.put(Failed(row=order.row, failure=failure))
                return failure
            self._delivered_log.add(order.incoming)
            self._circuit_breaker.succeeded()
            self._outbox.put(Delivered(row=order.row))
            return None

    async def _deliver(
        self, order: Deliver, assembled: AssembledMessage, introduction: Introduction
    ) -> None:
        before = self._chats.recall(order.chat)
        task = await self._find_task(before)
        if order.is_uncertain and before.task is None and task is not None:
            # The first message of a chat makes its task: an earlier try did get through.
            log.info("row %s was taken before", order.row)
        else:
            await self._post(order, assembled, introduction, has_task=task is not None)
        if is_known(order.incoming.contact):
            self._chats.remember_contact(order.incoming.contact)

    async def _find_task(self, chat: ChatMemory) -> int | None:
        if self._circuit_breaker.is_suspect:
            # Planfix may be away: a question that nobody answers does no harm, a message might.
            task = await ask_until_answered(
                lambda: self._planfix.get_task(chat.peer_id), self._circuit_breaker.may_ask_again
            )
        elif chat.task is not None and not self._chats.is_task_old(chat.peer_id):
            return chat.task
        else:
            task = await self._planfix.get_task(chat.peer_id)
        self._chats.remember_task(chat.peer_id, task)
        return task

    async def _post(
        self,
        order: Deliver,
        assembled: AssembledMessage,
        introduction: Introduction,
        *,
        has_task: bool,
    ) -> None:
        await self._tell_contact(order, introduction.photo_link)
        known, contact = self._chats.recall(order.chat).contact, order.incoming.contact
        if known is not None and not is_known(contact):
            contact = known
        line = PlanfixMessage(
            contact=contact,
            text=assembled.text,
            is_echo=order.incoming.is_echo,
            title="" if has_task else full_name(contact),
            bio=None if has_task else introduction.bio,
            photo_link=introduction.photo_link,
            files=assembled.files,
        )
        self._outbox.put(Trying(row=order.row))
        await self._planfix.new_message(line)

    async def _introduce(self, order: Deliver) -> Introduction:
        """Fetch a photo that Planfix has not seen, and the bio of somebody it has no task with."""
        contact, before = order.incoming.contact, self._chats.recall(order.chat)
        is_new_photo = before.contact is None or before.contact.photo_id != contact.photo_id
        has_photo = is_new_photo and await self._assembler.has_photo(order)
        bio = await self._assembler.bio(order) if before.task is None else ""
        return Introduction((order.photo_link or "") if has_photo else "", bio)

    async def _tell_contact(self, order: Deliver, photo_link: str) -> None:
        """Renew the contact's card if it changed."""
        contact, known = order.incoming.contact, self._chats.recall(order.chat).contact
        if known is not None and known != contact and is_known(contact):
            try:
                await self._planfix.update_contact(contact, photo_link)
            except PlanfixRejected as error:
                log.warning("Planfix does not take a contact's card: %s", error)


def is_known(contact: Contact) -> bool:
    """Whether Telegram has told who this is."""
    return contact != Contact(peer_id=contact.peer_id)


GRACE = 2.0  # seconds for calls under way when the worker stops


class PlanfixDelivery:
    """Takes what the supervisor has kept, brings it to Planfix."""

    def __init__(
        self,
        planfix: PlanfixClient,
        assembler: MessageAssembler,
        outbox: Outbox,
        delivered_log: DeliveredLog,
        circuit_breaker: CircuitBreaker | None = None,
    ) -> None:
        self._planfix = planfix
        self._circuit_breaker = circuit_breaker or CircuitBreaker()
        self._circuit_breaker.tell = lambda is_away: outbox.put(PlanfixChanged(is_away=is_away))
        delivery = Delivery(
            planfix, self._circuit_breaker, ChatMemories(outbox), assembler, outbox, delivered_log
        )
        self._messages: Lanes[Deliver] = Lanes(delivery.bring)
        self._statuses: Lanes[TellStatus] = Lanes(
            StatusReporter(planfix, self._circuit_breaker, outbox).tell
        )

    def deliver(self, order: Deliver) -> None:
        """Take a message, behind all that were taken for the same chat."""
        self._messages.put(order.incoming.peer_id, order)

    def tell_status(self, order: TellStatus) -> None:
        """Take a status, behind all that were taken for the same message."""
        self._statuses.put(order.planfix_id, order)

    def watch(self, order: WatchPlanfix) -> None:
        self._circuit_breaker.watch(is_lookout=order.is_lookout, try_now=order.try_now)

    async def close(self) -> None:
        """Let calls under way end, begin no other; what is left is still with the supervisor."""
        await self._circuit_breaker.close(GRACE)
        await self._messages.close()
        await self._statuses.close()
        await self._planfix.close()
