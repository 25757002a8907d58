"""Checks before a write for a number that it comes from the newest start of its worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select, tuple_

from supervisor.database import tables
from supervisor.errors import NumberUnknown, StaleEpoch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


_number = tables.number.c
# The rows are locked so that on PostgreSQL no other gateway takes a new epoch before our commit; on
# SQLite the file is locked anyway. Not FOR SHARE: two gateways that both held a shared lock and
# then changed the row would wait for each other.
_lock = select(_number.digits, _number.epoch).with_for_update(key_share=True)
_lock_one = _lock.where(_number.digits == bindparam("number"), _number.epoch == bindparam("epoch"))


def fresh_claims(connection: Connection, claims: Iterable[Claim]) -> frozenset[Claim]:
    """Return the claims that are valid and stay valid until this transaction commits."""
    asked = tuple_(_number.digits, _number.epoch).in_(sorted(set(claims)))
    rows = connection.execute(_lock.where(asked).order_by(_number.digits))
    return frozenset(Claim(*row) for row in rows)


def require_fresh(connection: Connection, claim: Claim) -> None:
    """Raise unless the claim is valid."""
    if connection.execute(_lock_one, claim._asdict()).first() is not None:
        return
    known = select(_number.digits).where(_number.digits == claim.number)
    if connection.execute(known).first() is None:
        raise NumberUnknown
    raise StaleEpoch


class Claim(NamedTuple):
    """The number and the epoch of the worker on whose behalf something is written."""

    number: str
    epoch: int
