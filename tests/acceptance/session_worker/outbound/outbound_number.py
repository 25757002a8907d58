"""One number and an employee who sends messages through it and sees what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from session_worker.backoff import Backoff
from session_worker.formatting.plan import plan
from session_worker.outbound.attachments import Fetcher, Limits
from session_worker.outbound.sender import TelegramSender
from session_worker.protocol.messages import Failed, Failure, PartSent, Send, Trying
from session_worker.protocol.outgoing import Attachment, Outgoing
from session_worker.telegram.reading.message_memory import (
    MessageIndex,
    RecentMessages,
    SentMessages,
)
from session_worker.telegram.sending.flood_control import FloodControl
from session_worker.telegram.sending.recipient_search import AccessHashes
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.records.mailbox import Message
    from tests.acceptance.session_worker.number import Number
    from tests.fakes.file_server import FileServer

TLS = httpx.create_ssl_context()
BRISK = Backoff(first=0.02, longest=0.05)
LIMITS = Limits(size=1 << 20, whole=60, silence=60, pauses_when_missing=(0.02, 0.02))


@dataclass
class Sent:
    """A message as it lies in the number's own box."""

    message: Message

    @property
    def text(self) -> str:
        return self.message.content.text

    @property
    def media(self) -> Any:
        return self.message.content.media

    @property
    def entities(self) -> list[Any]:
        return self.message.content.entities

    def attribute(self, kind: type) -> Any:
        return self.media.attribute(kind)


class OutboundNumber:
    """Runs the outbound side of a number that is already started."""

    def __init__(self, number: Number, spool: Path, files: FileServer | None = None) -> None:
        self.number = number
        self.spool = spool
        self.files = files
        self.rows = 0
        self.outbound = self.make_outbound()

    def make_outbound(self, limits: Limits = LIMITS) -> TelegramSender:
        self.throttle = FloodControl(self.number.account)
        self.access_hashes = AccessHashes(self.number.account, self.throttle)
        planfix = self.files.url if self.files else "https://planfix.example"
        return TelegramSender(
            self.number.account,
            self.throttle,
            self.access_hashes,
            Fetcher(planfix, TLS, limits=limits),
            self.number.memory,
            SentMessages(RecentMessages(), MessageIndex(self.spool / "sent")),
            self.spool,
            pauses=BRISK,
        )

    def compose(self, to: Account | int, text: str = "", /, **files: bytes | str) -> Send:
        """Write a message; files are named by their keys, ``_`` for the point, links as they are."""
        self.rows += 1
        attachments = [
            Attachment(name=name.replace("_", "."), url=self._link(name.replace("_", "."), content))
            for name, content in files.items()
        ]
        outgoing = Outgoing(
            peer_id=to if isinstance(to, int) else to.id,
            planfix_id=str(self.rows),
            attachments=tuple(attachments),
            parts=plan(text, attachments),
        )
        return Send(row=self.rows, outgoing=outgoing)

    def _link(self, name: str, content: bytes | str) -> str:
        if isinstance(content, str):
            return content
        assert self.files is not None
        return self.files.offer(name, content)

    async def send(self, to: Account | int, text: str = "", /, **files: bytes | str) -> list[Sent]:
        """Send a message, wait for the last word, hand back all that lies in the chat."""
        order = self.compose(to, text, **files)
        self.outbound.send(order)
        await self.until_done(order)
        return self.box(order.outgoing.peer_id)

    def begin(self, to: Account | int, text: str = "", /, **files: bytes | str) -> Send:
        order = self.compose(to, text, **files)
        self.outbound.send(order)
        return order

    async def until_done(self, order: Send, deadline: float = PATIENCE) -> None:
        def is_done() -> bool:
            return self.is_sent(order) or any(f.next_try is None for f in self.failures(order))

        await eventually(is_done, deadline, awaited=f"the last word on row {order.row}")

    def is_sent(self, order: Send) -> bool:
        return all(part.is_sent for part in self.replayed(order).outgoing.parts)

    def parts_sent(self, order: Send) -> list[PartSent]:
        events = self.number.memory.events
        return [e for e in events if isinstance(e, PartSent) and e.row == order.row]

    def replayed(self, order: Send) -> Send:
        """Make the order that the supervisor gives when a dead letter is sent again."""
        sent = {event.part: event.message_ids for event in self.parts_sent(order)}
        parts = tuple(
            part.model_copy(update={"sent": sent.get(place, part.sent)})
            for place, part in enumerate(order.outgoing.parts)
        )
        outgoing = order.outgoing.model_copy(update={"parts": parts})
        return Send(row=order.row, outgoing=outgoing)

    def failures(self, order: Send) -> list[Failure]:
        events = self.number.memory.events
        return [e.failure for e in events if isinstance(e, Failed) and e.row == order.row]

    def codes(self, order: Send) -> list[str]:
        return [failure.code for failure in self.failures(order)]

    def tries(self, order: Send) -> int:
        events = self.number.memory.events
        return sum(isinstance(event, Trying) and event.row == order.row for event in events)

    def box(self, peer_id: int) -> list[Sent]:
        """What this number has written in a chat, oldest first."""
        account = self.number.sandbox.account_of(self.number.phone)
        ids = account.box.conversation(peer_id).ids
        messages = [account.box.get(message_id) for message_id in ids]
        return [Sent(message) for message in messages if message and message.out]

    def texts(self, to: Account) -> list[str]:
        return [sent.text for sent in self.box(to.id)]

    async def log_in_anew(self, *, forgets: bool) -> None:
        """Go on under another login of the account, with or without the hashes of the last one."""
        await self.outbound.close()
        await self.number.log_in_anew(forgets=forgets)
        self.outbound = self.make_outbound()

    async def crash(self) -> None:
        """Forget everything that was not reported, as a new process would."""
        await self.outbound.close()
        self.outbound = self.make_outbound()
