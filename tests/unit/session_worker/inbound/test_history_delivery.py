"""A history that cannot be read holds up none of the new messages."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Any

from session_worker.inbound.history_delivery import (
    HistoryDelivery,
    HistoryOrder,
    HistorySources,
)
from session_worker.inbound.progress import load_progress
from session_worker.inbound.receiver import UpdateReceiver
from session_worker.protocol.chats import ChatSelection
from session_worker.protocol.messages import Contact, Incoming, Received
from session_worker.telegram.errors import Refused
from session_worker.telegram.reading.message_memory import MessageIndex
from session_worker.telegram.reading.message_parser import ParsedMessage
from session_worker.texts import texts_of
from tests.fakes.outbox import KeptOutbox
from tests.support.waiting import eventually
from tests.unit.session_worker.inbound.test_receiver import Source
from tests.unit.session_worker.telegram.reading.test_update_parser import made_parser

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.protocol.contract import Event

FIRST, SECOND = 7, 8


class InterruptedOutbox(KeptOutbox):
    """Lets somebody else write while the first event is on its way."""

    receiver: UpdateReceiver

    async def report(self, event: Event) -> None:
        self.put(event)
        if len(self.events) == 1:
            await self.receiver.report((2,), said(SECOND))


def said(peer_id: int) -> ParsedMessage:
    contact = Contact(peer_id=peer_id, first_name="Anna")
    return ParsedMessage(
        Incoming(peer_id=peer_id, message_ids=(peer_id,), date=1, text="hello", contact=contact)
    )


async def test_what_is_written_while_held_messages_are_released_arrives(tmp_path: Path) -> None:
    """After a failure each held message is reported, also one of a chat that is held meanwhile."""
    asked = asyncio.Event()

    async def refuse(_request: Any) -> Any:
        await asked.wait()
        raise Refused(400, "INPUT_FETCH_FAIL")

    outbox, texts = InterruptedOutbox(), texts_of("en")
    parser = made_parser(tmp_path)
    receiver = UpdateReceiver(parser, MessageIndex(tmp_path / "m"), outbox, texts, Source())
    outbox.receiver = receiver
    order = HistoryOrder(date(2026, 1, 1), ChatSelection(), tmp_path / "history")
    sources = HistorySources(refuse, parser, receiver, parser._chosen, outbox, texts)
    history = HistoryDelivery(order, sources, lambda: 0)
    await history.open()
    await receiver.report((1,), said(FIRST))
    assert outbox.events == []

    running = asyncio.create_task(history.run())
    asked.set()
    try:
        await eventually(lambda: len(outbox.events) == 2, awaited="both messages")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    positions = [event.positions for event in outbox.events if isinstance(event, Received)]
    assert positions == [(1,), (2,)]
    progress = await asyncio.to_thread(load_progress, order.path)
    assert (progress.is_over, progress.done) == (False, [])
