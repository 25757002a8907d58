"""The guard on every write for a number: only the newest start of its worker may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_

from supervisor.errors import NumberUnknown, StaleEpoch
from supervisor.store import tables
from supervisor.store.values import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection

_number = tables.number.c


async def fresh_claims(connection: AsyncConnection, claims: Iterable[Claim]) -> frozenset[Claim]:
    """Return the claims that hold, as they still will when this transaction commits."""
    asked = tuple_(_number.digits, _number.epoch).in_(sorted(set(claims)))
    # Locked, so that nobody takes a new epoch on PostgreSQL before our commit; on SQLite nobody
    # can. Not FOR SHARE: of two gateways that then change the row each would wait for the other.
    query = select(_number.digits, _number.epoch).where(asked).with_for_update(key_share=True)
    rows = await connection.execute(query.order_by(_number.digits))
    return frozenset(Claim(*row) for row in rows)


async def require_fresh(connection: AsyncConnection, claim: Claim) -> None:
    """Raise unless the claim holds."""
    if await fresh_claims(connection, [claim]):
        return
    known = select(_number.digits).where(_number.digits == claim.number)
    if (await connection.execute(known)).first() is None:
        raise NumberUnknown
    raise StaleEpoch
