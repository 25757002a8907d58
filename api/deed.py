"""What somebody has done to a number, written into the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from api.context import context

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

OPERATOR: Final = "operator"
CLIENT: Final = "client"
LINK: Final = "login link"


def name_of(*, is_operator: bool) -> str:
    return OPERATOR if is_operator else CLIENT


async def carry_out(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: str | None = None
) -> T:
    """Do it to its end whether or not the caller stays, then write it down."""
    return await context().work.finish(_recorded(work, who, action, number, detail))


async def _recorded(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: str | None
) -> T:
    done = await work
    await context().gateway.record(who, action, number, detail)
    return done
