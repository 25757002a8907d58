"""A supervisor that records the events of a worker in memory."""

from __future__ import annotations

import asyncio
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_worker.protocol.files import incoming_file
from session_worker.protocol.messages import (
    ChatMemory,
    ChatRemembered,
    Deliver,
    Delivered,
    Failed,
    GapFilled,
    Incoming,
    ReadByContact,
    Received,
    StatusTold,
    Stored,
    Trying,
)
from tests.acceptance.session_worker.number import Memory

if TYPE_CHECKING:
    from session_worker.number import NumberSession
    from session_worker.protocol.contract import Command, Event

Key = tuple[int, tuple[int, ...], str, str]


class EventRecorder(Memory):
    """Stores what is received once, hands it to the number for delivery, notes the outcome."""

    def __init__(self, session: Any, file_server: str) -> None:
        super().__init__(session)
        self.file_server = file_server
        self.rows: dict[int, Incoming] = {}
        self.keys: set[Key] = set()
        self.chats: dict[int, ChatMemory] = {}
        self.delivered: list[int] = []
        self.uncertain: set[int] = set()
        self.hands_over = True
        self.stores = True
        self.most_rows: float = inf
        self.number: NumberSession | None = None
        self.commands: asyncio.Queue[Command] = asyncio.Queue()

    def put(self, event: Event) -> None:
        super().put(event)
        match event:
            case Received():
                self._store(event)
            case ReadByContact(positions=positions):
                self.commands.put_nowait(Stored(positions=positions))
            case ChatRemembered(chat=chat):
                self.chats[chat.peer_id] = chat
            case Trying(row=row):
                self.uncertain.add(row)
            case Delivered(row=row):
                self.delivered.append(row)
                self.uncertain.discard(row)
            case Failed(row=row, failure=failure) if failure.code != "planfix_answer_lost":
                self.uncertain.discard(row)
            case _:
                pass

    def _store(self, event: Received) -> None:
        if not self.stores or len(self.rows) >= self.most_rows:
            return
        incoming = event.incoming
        change = f"{incoming.edit_date} {incoming.text if incoming.what == 'reaction' else ''}"
        key = (incoming.peer_id, incoming.message_ids, incoming.what, change)
        if key not in self.keys:
            self.keys.add(key)
            row = len(self.rows) + 1
            self.rows[row] = incoming
            if self.hands_over:
                self.hand_over(row)
        self.commands.put_nowait(Stored(positions=event.positions))

    def hand_over(self, row: int) -> None:
        incoming = self.rows[row]
        paths = [incoming_file(Path(), row, incoming, i) for i, _ in enumerate(incoming.files)]
        links = [f"{self.file_server}/{path}" for path in paths]
        photo = incoming.contact.photo_id
        self.commands.put_nowait(
            Deliver(
                row=row,
                incoming=incoming,
                links=tuple(links),
                photo_link=photo and f"{self.file_server}/photos/{photo}",
                chat=self.chats.get(incoming.peer_id, ChatMemory(peer_id=incoming.peer_id)),
                is_uncertain=row in self.uncertain,
            )
        )

    def hand_over_pending(self) -> None:
        for row in self.rows:
            if row not in self.delivered:
                self.hand_over(row)

    async def run(self) -> None:
        """Send down what there is to say, in order."""
        while True:
            command = await self.commands.get()
            assert self.number is not None
            await self.number.handle(command)

    @property
    def texts(self) -> list[str]:
        return [incoming.text for incoming in self.rows.values()]

    @property
    def failures(self) -> list[str]:
        return [event.failure.code for event in self.events if isinstance(event, Failed)]

    @property
    def reads(self) -> list[ReadByContact]:
        return [event for event in self.events if isinstance(event, ReadByContact)]

    @property
    def told(self) -> list[StatusTold]:
        return [event for event in self.events if isinstance(event, StatusTold)]

    @property
    def receipts(self) -> list[GapFilled]:
        return [event for event in self.events if isinstance(event, GapFilled)]
