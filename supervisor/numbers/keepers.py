"""The keepers of all numbers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from supervisor.contacts.heard_events import HeardEvents
from supervisor.errors import NumberOffline
from supervisor.messages.dispatchers import Dispatchers
from supervisor.numbers.keeper import Keeper
from supervisor.numbers.state import State, Status, status_of
from supervisor.numbers.worker_records import WorkerRecords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.config import Config
    from supervisor.numbers.worker_pool import WorkerPool
    from supervisor.processes.worker_run import OneOffSession
    from supervisor.store.store import Store


class Keepers:
    """The keepers of all numbers that have run since the start; one operation at a time for each."""

    def __init__(self, pool: WorkerPool, store: Store, config: Config) -> None:
        self._pool = pool
        self._store = store
        self._config = config
        self.dispatchers = Dispatchers(store, config)
        self.listening = HeardEvents(store)
        self._keepers: dict[str, Keeper] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock_of(self, number: str) -> asyncio.Lock:
        """Return the lock to hold while a number is started, changed or stopped."""
        return self._locks.setdefault(number, asyncio.Lock())

    def find(self, number: str) -> Keeper | None:
        return self._keepers.get(number)

    def require_online(self, number: str) -> None:
        keeper = self._keepers.get(number)
        state = keeper.live_state.state if keeper else State.STOPPED
        if status_of(state) is not Status.ONLINE:
            raise NumberOffline(state)

    async def start(self, number: str, one_off: OneOffSession | None = None) -> Keeper:
        keeper = self.keeper_of(number)
        await keeper.start(one_off)
        return keeper

    def keeper_of(self, number: str) -> Keeper:
        keeper = self._keepers.get(number)
        if keeper is None:
            records = WorkerRecords(number, self._store, self._config)
            keeper = self._keepers[number] = Keeper(
                self._pool, records, self.dispatchers, self.listening
            )
        return keeper

    async def stop(self, number: str) -> None:
        keeper = self._keepers.get(number)
        if keeper is not None:
            await keeper.stop()

    def last_heard(self) -> dict[str, float]:
        """Return when each number's newest Telegram update came, if one came."""
        heard = {number: keeper.last_heard for number, keeper in self._keepers.items()}
        return {number: at for number, at in heard.items() if at}

    def forget(self, number: str) -> None:
        self._keepers.pop(number, None)
        self.dispatchers.forget(number)
        self.listening.forget(number)

    async def start_all(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            async with self.lock_of(number):
                await self.start(number)

    async def stop_all(self) -> None:
        """Stop all at the same time, so that it takes no longer than the slowest."""
        await asyncio.gather(*(keeper.stop() for keeper in self._keepers.values()))

    def not_started(self, numbers: Iterable[str]) -> list[str]:
        """Return the numbers whose first worker has not been forked yet."""
        return [
            number
            for number in numbers
            if (keeper := self._keepers.get(number)) is None or not keeper.has_begun
        ]
