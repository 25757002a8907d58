"""Who is calling about which number, and what they did, for the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quart import request

from api.context import context
from api.requests.errors import not_found
from api.requests.fields import normalise_number

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
    """Do it to its end whether or not the caller stays, then write it down.

    What is to be written beside it may depend on what came of it.
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
    """Let nobody but the operator in; return the number's digits."""
    context().authenticator.require_operator(request)
    try:
        return normalise_number(number)
    except ValueError as exc:
        raise not_found() from exc


async def admit(number: str) -> str:
    """Let the operator in, or the client whose number it is; return the number's digits."""
    return (await admit_as(number))[0]


async def admit_as(number: str) -> tuple[str, str]:
    """Do the same, say besides who it is for the audit log."""
    try:
        digits = normalise_number(number)
    except ValueError as exc:
        context().authenticator.require_operator(request)
        raise not_found() from exc
    is_operator = await context().authenticator.require_either(request, digits)
    return digits, name_of(is_operator=is_operator)
