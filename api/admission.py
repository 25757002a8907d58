"""Checks who calls about which number, and records in the audit log what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quart import request

from api.context import context
from api.requests.errors import not_found
from api.requests.models import normalise_number

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


async def audited(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: Detail[T] = None
) -> T:
    """Do the work, even if the caller hangs up, and record it in the audit log.

    The detail is a text, or a function that makes it from the result.
    """
    return await context().work.run(_recorded(work, who, action, number, detail))


async def _recorded(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str, detail: Detail[T]
) -> T:
    done = await work
    written = detail(done) if callable(detail) else detail
    await context().gateway.audit.append(who, action, number, written)
    return done


def admit_operator_to(number: str) -> str:
    """Admit only the operator; return the digits of the number."""
    context().authenticator.require_operator(request)
    try:
        return normalise_number(number)
    except ValueError as exc:
        raise not_found() from exc


async def require_here(number: str) -> None:
    """Raise NumberElsewhere if another node runs the number; the call is then handed to it."""
    node = context().gateway.node
    if node is not None:
        await node.require_here(number)


async def admit(number: str) -> str:
    """Admit the operator, or the client who owns the number; return the digits of the number."""
    return (await admit_as(number))[0]


async def admit_as(number: str) -> tuple[str, str]:
    """Like `admit`, but also return the name of the caller for the audit log."""
    try:
        digits = normalise_number(number)
    except ValueError as exc:
        context().authenticator.require_operator(request)
        raise not_found() from exc
    is_operator = await context().authenticator.require_either(request, digits)
    await require_here(digits)
    return digits, name_of(is_operator=is_operator)
