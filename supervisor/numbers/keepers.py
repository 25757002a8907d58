"""The keepers of all numbers."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from supervisor.database.coordination import Coordination
from supervisor.database.tables import now
from supervisor.errors import DatabaseError, NumberOffline
from supervisor.messages.message_service import Dispatchers
from supervisor.nodes.cluster_state import ListedNode, NodeState
from supervisor.nodes.lease import NodeLease
from supervisor.nodes.node import Node
from supervisor.numbers.keeper import Keeper
from supervisor.numbers.state import State, Status, status_of
from supervisor.numbers.worker_events import HeardEvents
from supervisor.numbers.worker_records import WorkerRecords
from supervisor.processes.worker_log import WorkerLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable

    from supervisor.config import Config, NodeConfig
    from supervisor.nodes.runner import Act, Check, Choose
    from supervisor.numbers.login_dialog import OneOffSession
    from supervisor.numbers.worker_pool import WorkerPool
    from supervisor.store.store import Store


def _ignore(_number: str) -> None:
    pass


class Keepers:
    """The keepers of all numbers that have run since the start; one operation at a time for each."""

    def __init__(self, pool: WorkerPool, store: Store, config: Config) -> None:
        self._pool = pool
        self._store = store
        self._config = config
        self.dispatchers = Dispatchers(store, config)
        self.listening = HeardEvents(store)
        self._keepers: dict[str, Keeper] = {}
        self._since = now()
        self.report_passed_on: Callable[[str], None] = _ignore
        self.node = self._as_node(config.node) if config.node is not None else None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def numbers_to_run(self) -> list[str]:
        """Return the numbers that this gateway has to run."""
        if self.node is not None:
            return sorted(await self.node.numbers_to_run())
        return [number.number for number in await self._store.numbers.list_to_run()]

    async def start_or_join(self) -> None:
        """Start all numbers that should run, or join the other nodes and share the numbers with them."""
        if self.node is None:
            await self.start_all(await self.numbers_to_run())
            return
        left = await self.node.start()
        with suppress(TimeoutError):  # after the takeover, another node may have delivered it again
            async with asyncio.timeout(self.node.lease.takeover):
                for number in left:
                    await self.dispatchers.record_left(number)

    async def list_nodes(self) -> tuple[ListedNode, ...]:
        """Return all nodes; a gateway that is alone is the only one."""
        if self.node is not None:
            return await self.node.nodes.list()
        url, count = self._config.public_url, len(self._pool.running)
        return (ListedNode("single", url, NodeState.ALIVE, self.memory(), self._since, count),)

    def lock_of(self, number: str) -> asyncio.Lock:
        """Return the lock to hold while a number is started, changed or stopped."""
        return self._locks.setdefault(number, asyncio.Lock())

    def find(self, number: str) -> Keeper | None:
        return self._keepers.get(number)

    def log_of(self, number: str) -> WorkerLog:
        keeper = self._keepers.get(number)
        return keeper.log if keeper is not None else WorkerLog()

    def require_online(self, number: str) -> None:
        keeper = self._keepers.get(number)
        state = keeper.live_state.state if keeper else State.STOPPED
        if status_of(state) is not Status.ONLINE:
            raise NumberOffline(state)

    @asynccontextmanager
    async def claimed(self, number: str) -> AsyncIterator[None]:
        """Hold the lock of a number that this node owns, or raise who owns it."""
        async with self.lock_of(number):
            if self.node is not None:
                await self.node.claim(number)
            yield

    def kept(self) -> Collection[str]:
        return self._keepers.keys()

    def is_busy(self, number: str) -> bool:
        keeper = self._keepers.get(number)
        return keeper is not None and keeper.login.reached is not None

    def memory(self) -> int:
        """Return the memory of this process and of all its workers in bytes."""
        own = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        healths = (keeper.worker_health for keeper in self._keepers.values())
        return own + sum(health.memory for health in healths if health is not None)

    def wake(self, number: str, *, are_notifications: bool) -> None:
        """Hand over the messages, or the notifications, that another node stored for the number."""
        if not are_notifications:
            self.dispatchers.reload(number)
        elif self.dispatchers.watcher is not None:
            self.dispatchers.watcher.wake(number)

    async def look_for_messages(self) -> None:
        """Hand over all waiting messages that no worker has; a wake-up call is only faster."""
        counts = await self._store.journals.counts(tuple(self._keepers))
        await self.dispatchers.look_for_messages(counts)

    async def adopt(self, numbers: Collection[str], still_ours: Choose) -> None:
        """Start those numbers that are still ours; the database is asked once for all of them."""
        async with AsyncExitStack() as stack:
            free = []
            for number in numbers:
                lock = self.lock_of(number)
                # A number that somebody is working on is left until the next look.
                if not lock.locked() and number not in self._keepers:
                    await stack.enter_async_context(lock)
                    free.append(number)
            if free:
                ours = await still_ours()
                for number in free:
                    if number in ours:
                        await self.start(number)

    async def give_up(self, number: str, is_due: Check, pass_on: Act | None) -> None:
        """If it is due, stop a number, pass it on and forget it; nobody starts it meanwhile.

        A number that is passed on stays online until its deliveries have ended; one that another
        node has taken is stopped at once.
        """
        async with self.lock_of(number):
            if not await is_due():
                return
            is_drained = pass_on is not None and await self.dispatchers.drain(number)
            if number in self._keepers:
                # A number that moves must not be reported as stopped.
                self._keepers[number].live_state.mute()
                await self._keepers[number].stop()
            try:
                if pass_on is not None:
                    await self._pass_on(number, pass_on, is_drained=is_drained)
            finally:
                self.forget(number)  # if it is still ours, it will be adopted again
                self.report_passed_on(number)

    async def start(self, number: str, one_off: OneOffSession | None = None) -> Keeper:
        keeper = self.keeper_of(number)
        await self.dispatchers.drain_briefly(number)
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
            await self.dispatchers.drain_briefly(number)
            await keeper.stop()

    @asynccontextmanager
    async def stopped(self, number: str) -> AsyncIterator[None]:
        """Keep a number stopped meanwhile; if the database fails, start one that ran as it was."""
        ran = number in self._pool.running
        await self.stop(number)
        try:
            yield
        except DatabaseError:
            if ran and number not in self._pool.running:
                await self.start(number)
            raise

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
        await asyncio.gather(*map(self._stop_for_good, tuple(self._keepers)))

    def not_started(self, numbers: Iterable[str]) -> list[str]:
        """Return the numbers whose first worker has not been forked yet."""
        return [
            number
            for number in numbers
            if (keeper := self._keepers.get(number)) is None or not keeper.has_begun
        ]

    async def _stop_for_good(self, number: str) -> None:
        await self.stop(number)
        if self.node is not None:
            await self.dispatchers.record_noted(number)

    async def _pass_on(self, number: str, pass_on: Act, *, is_drained: bool) -> None:
        if not is_drained:
            await self.dispatchers.record_noted(number)
        await pass_on()

    def _as_node(self, config: NodeConfig) -> Node:
        """Make this gateway one of several, which runs only the numbers that it owns."""
        lease = self._pool.lease = NodeLease(config.ttl, config.takeover)
        coordination = Coordination(self._store.database.url, config.ttl / 3)
        self.dispatchers.is_kept = lambda number: number in self._keepers
        return Node(self._store, coordination, config.url, lease, self)
