"""What somebody has done to a number, written into the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from api.context import context

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeVar

    T = TypeVar("T")
    Detail = str | Callable[[T], str] | None

OPERATOR: Final = "operator"
CLIENT: Final = "client"
LINK: Final = "login link"


def name_of(*, is_operator: bool) -> str:
    return OPERATOR if is_operator else CLIENT


async def carry_out(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: Detail[T] = None
) -> T:
    """Do it to its end whether or not the caller stays, then write it down.

    What is to be written beside it may depend on what came of it.
    """
    return await context().work.finish(_recorded(work, who, action, number, detail))


async def _recorded(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: Detail[T]
) -> T:
    done = await work
    written = detail(done) if callable(detail) else detail
    await context().gateway.record(who, action, number, written)
    return done
