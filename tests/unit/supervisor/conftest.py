"""A dispatcher on each kind of database, with a worker that is simulated in memory."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from session_worker.protocol.messages import Contact
from supervisor.journal.browsing import Selection
from supervisor.messages.dispatcher import Dispatcher
from supervisor.messages.file_links import FileLinks
from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from tests.support.waiting import eventually
from tests.unit.supervisor.rows import NUMBER, is_busy, outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from session_worker.protocol.contract import Command
    from session_worker.protocol.messages import MessageEvent
    from supervisor.journal.journal import Journal
    from supervisor.journal.values import Accepted, Entry

DAY = 24 * 3600.0

T = TypeVar("T")


@pytest.fixture
def secret_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture
async def store(database_url: str, secret_key: str) -> AsyncIterator[Store]:
    async with Store(database_url, secret_key) as opened:
        await opened.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        yield opened


@dataclass
class RecordedDispatcher:
    """A dispatcher and a worker that only records the commands it gets."""

    store: Store
    dispatcher: Dispatcher
    told: list[Command] = field(default_factory=list)

    async def open(self) -> None:
        """Attach a worker, as its keeper does."""
        self.told = []
        epoch = (await self.store.numbers.get(NUMBER)).epoch
        await self.dispatcher.prepare(await self.store.runs.take_epoch(NUMBER, epoch))
        self.dispatcher.attach_worker(self.told.append)
        await eventually(lambda: self.is_idle)

    async def close(self) -> None:
        await self.dispatcher.detach_worker()

    async def reopen(self) -> None:
        """Attach another worker under a supervisor that remembers nothing."""
        await self.close()
        self.dispatcher = make_dispatcher(self.dispatcher.journal)
        await self.open()

    @property
    def is_idle(self) -> bool:
        """Whether all that may be handed over has been."""
        return not any(is_busy(hand_over) for hand_over in self.dispatcher.hand_overs)

    async def say(self, *events: MessageEvent) -> None:
        await self.dispatcher.record_events(events)
        await eventually(lambda: self.is_idle)

    async def write(self, planfix_id: str, peer_id: int = 1) -> Accepted:
        return await self.dispatcher.accept(outgoing(planfix_id, peer_id), Contact(peer_id=peer_id))

    def told_of(self, kind: type[T]) -> list[T]:
        return [command for command in self.told if isinstance(command, kind)]

    async def entries(self) -> Sequence[Entry]:
        return await self.dispatcher.journal.list(Selection())


def make_dispatcher(journal: Journal) -> Dispatcher:
    links = FileLinks([b"k" * 32], "https://gateway.example", 30 * DAY)
    return Dispatcher(journal, links, "en")


@pytest.fixture
async def closed_dispatcher(store: Store) -> AsyncIterator[RecordedDispatcher]:
    recorded = RecordedDispatcher(store, make_dispatcher(await store.journals.open(NUMBER)))
    yield recorded
    await recorded.close()


@pytest.fixture
async def recorded(closed_dispatcher: RecordedDispatcher) -> RecordedDispatcher:
    await closed_dispatcher.open()
    return closed_dispatcher
