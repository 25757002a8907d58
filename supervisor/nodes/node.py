"""One of several gateways: it beats, watches the others, takes numbers and gives them away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from session_worker.process.lease import now
from supervisor.background_loop import BackgroundLoop
from supervisor.database.coordination import EVERYBODY
from supervisor.errors import (
    DatabaseError,
    DatabaseUnavailable,
    GatewayError,
    NumberElsewhere,
    NumberWithoutOwner,
)
from supervisor.nodes.cluster_state import NodeState, Observations
from supervisor.nodes.records import Nodes, require_owner
from supervisor.nodes.runner import MESSAGES, NOTIFICATIONS, always

if TYPE_CHECKING:
    from collections.abc import Collection

    from supervisor.database.coordination import Coordination
    from supervisor.nodes.cluster_state import ClusterState, Owner
    from supervisor.nodes.lease import NodeLease
    from supervisor.nodes.runner import Runner
    from supervisor.store.store import Store

BEATS = 4  # in the time after which a node must stop its workers
MOVES = 4  # numbers that a draining node moves at the same time
GUARD = 0.3  # seconds between a worker's end and its successor's start on another machine
POLL = 1.0  # seconds after which a message is found that another node stored
BALANCE_PAUSE = 1.0  # seconds between two moves that only spread the load
JOIN_PAUSE = 0.5  # seconds between two attempts to join

logger = logging.getLogger(__name__)


class Node:
    """The part of this gateway that the other nodes see."""

    def __init__(
        self, store: Store, coordination: Coordination, url: str, lease: NodeLease, runner: Runner
    ) -> None:
        self.url, self.lease = url, lease
        self.nodes = Nodes(coordination)
        self.incarnation, self.state = "", NodeState.ALIVE
        self._runs = store.runs
        self._coordination, self._runner = coordination, runner
        self._observations = Observations()
        self._free_before, self._is_first = 0, False
        self._looked = asyncio.Event()
        self._interval = lease.ttl / BEATS
        pause = self._interval / 2
        self._beating = BackgroundLoop("beat of this node", self._beat, pause)
        self._looking = BackgroundLoop("look at the other nodes", self._look, pause)
        self._moving = BackgroundLoop("moving numbers", self._move, pause)
        messages = BackgroundLoop("looking for messages", self._look_for_messages, POLL)
        self._loops = (self._looking, messages, self._moving)

    async def start(self) -> Collection[str]:
        """Join the others; return the numbers that this node ran when it was killed and nobody has taken."""
        # A database that is slow now gets as much time as a takeover takes.
        until, left = now() + self.lease.takeover, tuple[str, ...]()
        while not self.lease.is_fresh:
            try:
                left = await self._join()
            except DatabaseUnavailable:
                if now() >= until:
                    raise
                await asyncio.sleep(JOIN_PAUSE)
        self._coordination.listen(self._receive)
        for loop in (self._beating, *self._loops):
            loop.start()
        return left

    async def drain(self) -> None:
        """Move all numbers to other nodes; return when they are gone, or when nobody takes them."""
        self.state = NodeState.DRAINING
        with suppress(GatewayError):
            await self.nodes.order_drain(self.incarnation)
            self.announce()
            while await self._give_away():
                self._looked.clear()
                self._looking.wake()
                await self._looked.wait()

    async def halt(self) -> None:
        """Take no more numbers; those that run keep their lease."""
        for loop in self._loops:
            await loop.stop()

    async def stop(self) -> None:
        """Tell the others that this node has gone; all its workers must have ended."""
        await self._beating.stop()
        with suppress(DatabaseError):  # then the others notice that it does not beat
            await self.nodes.leave(self.incarnation)
            self.announce()
        self.lease.end()
        await self._coordination.stop()

    async def claim(self, number: str) -> None:
        """Make sure that this node owns the number; raise NumberElsewhere if another one does."""
        if not self.lease.is_fresh:
            raise NumberWithoutOwner
        self._require_ours(number, await self.nodes.claim_one(self.incarnation, number))

    async def require_here(self, number: str) -> None:
        """Raise NumberElsewhere if another node runs the number, NumberWithoutOwner if none does yet."""
        placed = await self.nodes.find(number)
        if placed.owner is not None or placed.is_to_run:
            self._require_ours(number, placed.owner)

    async def require_best_for_new(self, number: str) -> None:
        """Raise NumberElsewhere if another node owns the number, or should start it."""
        placed = await self.nodes.find(number)
        if placed.owner is not None:
            self._require_ours(number, placed.owner)
            return
        cluster = await self.nodes.look(self.incarnation)
        heir = cluster.node_for_new(self.incarnation)
        for peer in cluster.peers:
            if peer.incarnation == heir:
                raise NumberElsewhere(number, peer.url, 0)

    async def numbers_to_run(self) -> Collection[str]:
        """Return the numbers that this node has to run; raise DatabaseUnavailable if it cannot be certain."""
        if not self.lease.is_fresh:
            raise DatabaseUnavailable("this node could not beat")
        return (await self.nodes.look(self.incarnation)).to_run

    async def find_peers(self) -> tuple[str, ...]:
        """Return the addresses of the other live nodes."""
        cluster = await self.nodes.look(self.incarnation)
        return tuple(peer.url for peer in cluster.peers if peer.incarnation != self.incarnation)

    async def disown(self, number: str) -> None:
        """Give up a number that is erased."""
        await self.nodes.forget(self.incarnation, number)

    def wake_owner(self, number: str, of: str = MESSAGES) -> None:
        """Let the owner know that messages, or `NOTIFICATIONS`, wait for the number."""
        if number in self._runner.kept():
            self._receive(of + number)
        else:
            self._coordination.notify(of + number)

    @property
    def is_first(self) -> bool:
        """Whether this node speaks for all of them."""
        return self._is_first and self.lease.is_fresh

    def _require_ours(self, number: str, owner: Owner | None) -> None:
        if owner is None:
            raise NumberWithoutOwner
        if not self._is_us(owner):
            raise NumberElsewhere(number, owner.url, owner.epoch)

    def announce(self) -> None:
        """Let the other nodes look at once."""
        self._coordination.notify(EVERYBODY)

    def _receive(self, name: str) -> None:
        if name == EVERYBODY:
            self._looking.wake()
        elif (number := name.removeprefix(NOTIFICATIONS)) in self._runner.kept():
            self._runner.wake(number, are_notifications=number != name)

    async def _join(self) -> tuple[str, ...]:
        self.lease.end()
        incarnation = secrets.token_hex(16)
        began = now()
        left = await self.nodes.join(incarnation, self.url)
        self.incarnation = incarnation
        self._runs.require_owner = partial(require_owner, incarnation=incarnation)
        self._observations = Observations()
        self.lease.renew(began)
        self.announce()
        logger.info("this node joined the others as %s", incarnation)
        return left

    async def _beat(self) -> float:
        began = now()
        state = await self.nodes.beat(self.incarnation, self._runner.memory())
        if state is None:
            await self._start_over()
            return 0.0
        self.lease.renew(began)
        self.state = state
        return self._interval

    async def _start_over(self) -> None:
        """Begin again as a new node, because the others have taken everything from us."""
        logger.error("the other nodes fenced this one, so it stops its numbers and joins again")
        self.lease.end()
        numbers = tuple(self._runner.kept())
        await asyncio.gather(*(self._runner.give_up(each, always, None) for each in numbers))
        await self._join()

    async def _look(self) -> float:
        try:
            if not self.lease.is_fresh:
                raise DatabaseUnavailable("this node could not beat")
            await self._act_on(await self.nodes.look(self.incarnation))
        except DatabaseError:
            self._observations = Observations()  # beats may have been missed meanwhile
            raise
        finally:
            self._looked.set()
        due = self._observations.next_due(now(), self.lease.takeover)
        return min(self._interval, due)

    async def _look_for_messages(self) -> float:
        await self._runner.look_for_messages()
        return POLL

    async def _act_on(self, cluster: ClusterState) -> None:
        mine = (peer.state for peer in cluster.peers if peer.incarnation == self.incarnation)
        self.state = next(mine, self.state)
        if self.state is NodeState.DRAINING:
            self._moving.wake()
        self._is_first = cluster.first == self.incarnation
        self._observations = self._observations.with_cluster(cluster, self.incarnation, now())
        for peer in self._observations.lost(now(), self.lease.takeover):
            if await self.nodes.fence(peer):
                logger.warning("node %s does not beat, so its numbers are taken over", peer.url)
                self.announce()
        lost = set(self._runner.kept()) - cluster.owned
        await asyncio.gather(
            *(self._runner.give_up(each, partial(self._is_foreign, each), None) for each in lost)
        )
        await self._runner.adopt(cluster.to_run - set(self._runner.kept()), self._numbers_of_ours)
        await self._claim(cluster)

    async def _claim(self, cluster: ClusterState) -> None:
        wanted = cluster.numbers_to_claim(self.incarnation, free_before=self._free_before)
        self._free_before = cluster.free
        if wanted and self.state is NodeState.ALIVE:
            claimed = await self.nodes.claim(self.incarnation, wanted)
            logger.info("this node takes %d numbers", len(claimed))
            await self._runner.adopt(claimed, self._numbers_of_ours)

    async def _numbers_of_ours(self) -> Collection[str]:
        return (await self.nodes.look(self.incarnation)).to_run

    async def _is_ours(self, number: str) -> bool:
        return self._is_us((await self.nodes.find(number)).owner)

    def _is_us(self, owner: Owner | None) -> bool:
        return owner is not None and owner.incarnation == self.incarnation

    async def _is_foreign(self, number: str) -> bool:
        return not await self._is_ours(number)

    async def _move(self) -> float:
        """Move a number if that spreads the load, or some of them if this node is being drained."""
        if not self.lease.is_fresh:
            return self._interval
        if self.state is NodeState.DRAINING:
            await self._give_away()
            return self._interval
        cluster = await self.nodes.look(self.incarnation)
        heir = cluster.heir_to_balance(self.incarnation)
        number = next((each for each in cluster.to_run if not self._runner.is_busy(each)), None)
        if heir is None or number is None:
            return self._interval
        await self._hand_over(number, heir)
        return BALANCE_PAUSE

    async def _give_away(self) -> bool:
        """Move some numbers away; return whether there were any, and a node to take them."""
        cluster = await self.nodes.look(self.incarnation)
        heir = cluster.heir_of_drained(self.incarnation)
        if heir is None:
            return False
        some = sorted(cluster.to_run)[:MOVES] or sorted(cluster.owned)[:MOVES]
        await asyncio.gather(*(self._hand_over(number, heir) for number in some))
        return bool(some)

    async def _hand_over(self, number: str, heir: str) -> None:
        is_ours, pass_on = partial(self._is_ours, number), partial(self._pass_on, number, heir)
        await self._runner.give_up(number, is_ours, pass_on)

    async def _pass_on(self, number: str, heir: str) -> None:
        await asyncio.sleep(GUARD)
        await self.nodes.hand_over(self.incarnation, number, heir)
        self.announce()
