"""The guard on every write for a number: only the newest start of its worker may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select, tuple_

from supervisor.database import tables
from supervisor.errors import NumberUnknown, StaleEpoch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection


_number = tables.number.c
# Locked, so that nobody takes a new epoch on PostgreSQL before our commit; on SQLite nobody can.
# Not FOR SHARE: of two gateways that then change the row each would wait for the other.
_lock = select(_number.digits, _number.epoch).with_for_update(key_share=True)
_lock_one = _lock.where(_number.digits == bindparam("number"), _number.epoch == bindparam("epoch"))


async def fresh_claims(connection: AsyncConnection, claims: Iterable[Claim]) -> frozenset[Claim]:
    """Return the claims that hold, as they still will when this transaction commits."""
    asked = tuple_(_number.digits, _number.epoch).in_(sorted(set(claims)))
    rows = await connection.execute(_lock.where(asked).order_by(_number.digits))
    return frozenset(Claim(*row) for row in rows)


async def require_fresh(connection: AsyncConnection, claim: Claim) -> None:
    """Raise unless the claim holds."""
    if (await connection.execute(_lock_one, claim._asdict())).first() is not None:
        return
    known = select(_number.digits).where(_number.digits == claim.number)
    if (await connection.execute(known)).first() is None:
        raise NumberUnknown
    raise StaleEpoch


class Claim(NamedTuple):
    """A start of a number's worker, in whose name something is written."""

    number: str
    epoch: int
