"""The nodes in the database, and which of them runs which number."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, insert, select, update

from supervisor.database import tables
from supervisor.database.node_tables import node, placement
from supervisor.database.transactions import insert_missing
from supervisor.errors import StaleEpoch
from supervisor.nodes.cluster_state import (
    ClusterState,
    ListedNode,
    NodeState,
    Owner,
    Peer,
    Placed,
)
from supervisor.store.number_rows import IS_TO_RUN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from supervisor.database.coordination import Coordination

_node = node.c
_placement = placement.c
_number = tables.number.c
KEPT_FOR: Final = timedelta(days=1)
"""How long ago a node that has gone must have joined to be taken off the list."""
LIVE: Final = (NodeState.ALIVE, NodeState.DRAINING)
_is_live = _node.state.in_(LIVE)
# A node that was fenced or that has gone owns nothing, whatever the placements say.
_owns = and_(_placement.incarnation == _node.incarnation, _is_live)
_is_free = _placement.incarnation.is_(None) | _placement.incarnation.not_in(
    select(_node.incarnation).where(_is_live)
)
# It changes when another server has taken over, which may not know the newest beats.
_server = select(
    func.concat(
        func.substr(func.pg_walfile_name(func.pg_current_wal_insert_lsn()), 1, 8),
        func.pg_postmaster_start_time(),
    )
)


class Nodes:
    """The nodes that share the database; every decision is a compare-and-set in one transaction."""

    def __init__(self, coordination: Coordination) -> None:
        self._coordination = coordination

    async def join(self, incarnation: str, url: str) -> tuple[str, ...]:
        """Add a node; return the numbers of an earlier node at its address that nobody has taken yet."""
        earlier = select(_node.incarnation).where(_node.url == url)
        left = select(_placement.number).where(_placement.incarnation.in_(earlier))

        def unit(connection: Connection) -> tuple[str, ...]:
            moment, numbers = tables.now(), tuple(connection.scalars(left))
            old = and_(_node.state.not_in(LIVE), _node.since < moment - KEPT_FOR)
            replaced = and_(_node.state.not_in(LIVE), _node.url == url)
            connection.execute(delete(node).where(old | replaced))
            new = {"incarnation": incarnation, "url": url, "state": NodeState.ALIVE}
            connection.execute(insert(node).values(**new, beat=0, memory=0, since=moment))
            return numbers

        return await self._coordination.run(unit)

    async def beat(self, incarnation: str, memory: int) -> NodeState | None:
        """Renew the node's lease; return its state, or None if the others have fenced it."""
        statement = (
            update(node)
            .where(_node.incarnation == incarnation, _is_live)
            .values(beat=_node.beat + 1, memory=memory)
            .returning(_node.state)
        )
        rows = await self._coordination.run(lambda each: each.execute(statement).all())
        return NodeState(rows[0].state) if rows else None

    async def look(self, incarnation: str) -> ClusterState:
        return await self._coordination.run(_look, incarnation)

    async def fence(self, peer: Peer) -> bool:
        """Take everything from a node, unless it has beaten since it was seen."""
        is_unchanged = and_(
            _node.incarnation == peer.incarnation, _node.beat == peer.beat, _is_live
        )
        return await self._set_state(is_unchanged, NodeState.FENCED)

    async def order_drain(self, incarnation: str) -> bool:
        return await self._set_state(
            and_(_node.incarnation == incarnation, _is_live), NodeState.DRAINING
        )

    async def leave(self, incarnation: str) -> None:
        """Give up everything; all workers of the node must have ended."""
        is_ours = and_(_node.incarnation == incarnation, _is_live)
        await self._set_state(is_ours, NodeState.GONE)

    async def claim(self, incarnation: str, most: int) -> tuple[str, ...]:
        """Become the owner of at most so many numbers that should run and have no owner."""

        def unit(connection: Connection) -> tuple[str, ...]:
            if not _is_claimant(connection, incarnation):
                return ()
            query = (
                select(_number.digits)
                .outerjoin(placement, _placement.number == _number.digits)
                .where(*IS_TO_RUN, _is_free)
                .order_by(_number.digits)
                .limit(most)
            )
            return _claim(connection, incarnation, connection.scalars(query).all())

        return await self._coordination.run(unit)

    async def claim_one(self, incarnation: str, number: str) -> Owner | None:
        """Become the owner of a number that has none; return who owns it then."""

        def unit(connection: Connection) -> Owner | None:
            if _is_claimant(connection, incarnation):
                _claim(connection, incarnation, [number])
            return _find_owner(connection, number)

        return await self._coordination.run(unit)

    async def find(self, number: str) -> Placed:
        query = select(_number.digits).where(_number.digits == number, *IS_TO_RUN)

        def unit(connection: Connection) -> Placed:
            is_to_run = connection.execute(query).first() is not None
            return Placed(_find_owner(connection, number), is_to_run)

        return await self._coordination.run(unit)

    async def hand_over(self, incarnation: str, number: str, to: str) -> bool:
        """Make another node the owner, or nobody if that one takes no numbers; the worker has ended."""

        def unit(connection: Connection) -> bool:
            heir = to if _is_claimant(connection, to) else None
            statement = update(placement).where(_is_placed(number, incarnation))
            values = {"incarnation": heir, "epoch": _placement.epoch + 1}
            return connection.execute(statement.values(values)).rowcount > 0

        return await self._coordination.run(unit)

    async def forget(self, incarnation: str, number: str) -> None:
        """Give up a number that is erased."""
        statement = delete(placement).where(_is_placed(number, incarnation))
        await self._coordination.run(lambda each: each.execute(statement))

    async def list(self) -> tuple[ListedNode, ...]:
        """Return the live nodes and those that have gone lately, the oldest first."""
        counts = _counts().subquery()
        query = (
            select(
                _node.incarnation.label("node"),
                *(_node.url, _node.state, _node.memory, _node.since),
                func.coalesce(counts.c.many, 0).label("numbers"),
            )
            .outerjoin(counts, and_(counts.c.incarnation == _node.incarnation, _is_live))
            .order_by(_node.since)
        )
        rows = await self._coordination.run(lambda each: each.execute(query).all())
        return tuple(ListedNode(**row._asdict()) for row in rows)

    async def _set_state(self, where: ColumnElement[bool], state: NodeState) -> bool:
        statement = update(node).where(where).values(state=state)
        return await self._coordination.run(lambda each: each.execute(statement).rowcount > 0)


def require_owner(connection: Connection, number: str, *, incarnation: str) -> None:
    """Raise StaleEpoch unless this node owns the number now."""
    owner = _find_owner(connection, number)
    if owner is None or owner.incarnation != incarnation:
        raise StaleEpoch("another node runs the number")


def _look(connection: Connection, incarnation: str) -> ClusterState:
    peers = connection.execute(
        select(_node.incarnation, _node.url, _node.state, _node.beat, _node.since).where(_is_live)
    )
    found = tuple(Peer(*row[:2], NodeState(row.state), *row[3:]) for row in peers)
    counts: dict[str | None, int] = {
        row.incarnation: row.many for row in connection.execute(_counts())
    }
    loads = {peer.incarnation: counts.pop(peer.incarnation, 0) for peer in found}
    owned = connection.scalars(_owned_by(incarnation)).all()
    query = select(_number.digits).where(*IS_TO_RUN, _number.digits.in_(owned))
    return ClusterState(
        server=connection.execute(_server).scalar_one(),
        peers=found,
        loads=loads,
        free=sum(counts.values()),
        to_run=frozenset(connection.scalars(query)),
        owned=frozenset(owned),
    )


def _counts() -> Any:
    return (
        select(_placement.incarnation, func.count().label("many"))
        .select_from(tables.number)
        .outerjoin(placement, _placement.number == _number.digits)
        .where(*IS_TO_RUN)
        .group_by(_placement.incarnation)
    )


def _owned_by(incarnation: str) -> Any:
    return select(_placement.number).join(node, _owns).where(_placement.incarnation == incarnation)


def _is_placed(number: str, incarnation: str) -> ColumnElement[bool]:
    return and_(_placement.number == number, _placement.incarnation == incarnation)


def _is_claimant(connection: Connection, incarnation: str) -> bool:
    """Whether the node may own more; it cannot be fenced before this transaction ends."""
    query = select(_node.incarnation).where(
        _node.incarnation == incarnation, _node.state == NodeState.ALIVE
    )
    return connection.execute(query.with_for_update(read=True)).first() is not None


def _claim(connection: Connection, incarnation: str, numbers: Sequence[str]) -> tuple[str, ...]:
    """Make the node the owner of those numbers that are free; until the commit nobody else can be.

    The rows are locked before it is read which nodes are alive: otherwise a claim that had to wait
    could take numbers from a node that has joined meanwhile.
    """
    if not numbers:
        return ()
    missing = [{"number": each, "incarnation": None, "epoch": 0} for each in sorted(numbers)]
    insert_missing(connection, placement, missing)
    asked = _placement.number.in_(numbers)
    lock = select(_placement.number).where(asked).order_by(_placement.number)
    connection.execute(lock.with_for_update())
    claim = update(placement).where(asked, _is_free)
    claim = claim.values(incarnation=incarnation, epoch=_placement.epoch + 1)
    return tuple(connection.scalars(claim.returning(_placement.number)))


def _find_owner(connection: Connection, number: str) -> Owner | None:
    query = (
        select(_node.incarnation, _node.url, _placement.epoch)
        .join(placement, _owns)
        .where(_placement.number == number)
    )
    row = connection.execute(query).first()
    return Owner(*row) if row else None
