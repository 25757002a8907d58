"""Bringing one message to Planfix, until it is there or refused."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.hedging import ask_until_answered
from session_worker.message import Contact, Delivered, Failed, Failure, Trying
from session_worker.planfix_answer import PlanfixError, PlanfixRejected
from session_worker.planfix_form import Line, full_name
from session_worker.verdict import FailureCode, judge

if TYPE_CHECKING:
    from session_worker.chats import Chats
    from session_worker.gate import Gate
    from session_worker.message import ChatMemory, Deliver
    from session_worker.parcel import Packing, Parcel
    from session_worker.planfix import Planfix
    from session_worker.proofs import Proofs
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
        planfix: Planfix,
        gate: Gate,
        chats: Chats,
        packing: Packing,
        outbox: Outbox,
        proofs: Proofs,
    ) -> None:
        self._planfix = planfix
        self._gate = gate
        self._chats = chats
        self._packing = packing
        self._outbox = outbox
        self._proofs = proofs

    async def bring(self, order: Deliver) -> None:
        """Deliver a row; its last word has been told when this returns."""
        try:
            if await self._proofs.has(order.incoming):
                log.info("row %s was taken before a crash", order.row)
                self._outbox.put(Delivered(row=order.row))
                return
            await asyncio.sleep(min(order.next_try - time.time(), LONGEST_WAIT))
            parcel = await self._packing.pack(order)
            # Fetched before a place among the callers is taken: others wait for that.
            introduction = await self._introduce(order)
            failure = await self._try(order, parcel, introduction)
            while failure is not None and failure.next_try is not None:
                if failure.code == FailureCode.ANSWER_LOST:
                    order = order.model_copy(update={"is_uncertain": True})
                failure = await self._try(order, parcel, introduction)
        except Exception:  # the root of a row: a bug in one must not stop those behind it
            log.exception("row %s failed", order.row)
            self._outbox.put(Failed(row=order.row, failure=Failure(code=FailureCode.INTERNAL)))

    async def _try(
        self, order: Deliver, parcel: Parcel, introduction: Introduction
    ) -> Failure | None:
        """Try once; tells what happened, returns why it came to nothing."""
        async with self._gate.passage():
            try:
                await self._deliver(order, parcel, introduction)
            except PlanfixError as error:
                failure = judge(error, self._gate)
                self._outbox.put(Failed(row=order.row, failure=failure))
                return failure
            self._proofs.note(order.incoming)
            self._gate.succeeded()
            self._outbox.put(Delivered(row=order.row))
            return None

    async def _deliver(self, order: Deliver, parcel: Parcel, introduction: Introduction) -> None:
        before = self._chats.recall(order.chat)
        task = await self._find_task(before)
        if order.is_uncertain and before.task is None and task is not None:
            # The first message of a chat makes its task: an earlier try did get through.
            log.info("row %s was taken before", order.row)
        else:
            await self._post(order, parcel, introduction, has_task=task is not None)
        if is_known(order.incoming.contact):
            self._chats.remember_contact(order.incoming.contact)

    async def _find_task(self, chat: ChatMemory) -> int | None:
        if self._gate.is_suspect:
            # Planfix may be away: a question that nobody answers does no harm, a message might.
            task = await ask_until_answered(
                lambda: self._planfix.get_task(chat.peer_id), self._gate.may_ask_again
            )
        elif chat.task is not None and not self._chats.is_task_old(chat.peer_id):
            return chat.task
        else:
            task = await self._planfix.get_task(chat.peer_id)
        self._chats.remember_task(chat.peer_id, task)
        return task

    async def _post(
        self, order: Deliver, parcel: Parcel, introduction: Introduction, *, has_task: bool
    ) -> None:
        await self._tell_contact(order, introduction.photo_link)
        known, contact = self._chats.recall(order.chat).contact, order.incoming.contact
        if known is not None and not is_known(contact):
            contact = known
        line = Line(
            contact=contact,
            text=parcel.text,
            is_echo=order.incoming.is_echo,
            title="" if has_task else full_name(contact),
            bio=None if has_task else introduction.bio,
            photo_link=introduction.photo_link,
            files=parcel.files,
        )
        self._outbox.put(Trying(row=order.row))
        await self._planfix.new_message(line)

    async def _introduce(self, order: Deliver) -> Introduction:
        """Fetch a photo that Planfix has not seen, and the bio of somebody it has no task with."""
        contact, before = order.incoming.contact, self._chats.recall(order.chat)
        is_new_photo = before.contact is None or before.contact.photo_id != contact.photo_id
        has_photo = is_new_photo and await self._packing.has_photo(order)
        bio = await self._packing.bio(order) if before.task is None else ""
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
