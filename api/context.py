"""What every handler begins with: the running gateway, the caller and the number, and work that survives a hang-up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from quart import current_app, request

from api.requests.body import normalise_number
from api.requests.errors import ApiError, not_found
from supervisor.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from quart import Quart

    from api.security.authenticator import Authenticator
    from api.settings import Settings
    from supervisor.gateway import Gateway

T = TypeVar("T")
logger = logging.getLogger(__name__)


class SurvivingWork:
    """Finishes work whose caller has hung up, so that no number is left half changed."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (exc := task.exception()):
        logger.error("a call failed after its caller had hung up", exc_info=exc)


_KEY = "telefix"


@dataclass(frozen=True, slots=True)
class Context:
    """The running gateway and what guards it."""

    settings: Settings
    gateway: Gateway
    authenticator: Authenticator
    work: SurvivingWork


def share(app: Quart, context: Context) -> None:
    app.extensions[_KEY] = context


def context(*, on_standby: bool = False) -> Context:
    """Return what the handlers share.

    Every call passes here, so this is where a gateway on standby refuses those it cannot answer.
    """
    if _KEY not in current_app.extensions:
        raise ApiError(503, "starting", "the gateway is starting")
    shared = cast("Context", current_app.extensions[_KEY])
    if not on_standby:
        shared.gateway.takeover.require()
    return shared


OPERATOR: Final = "operator"
CLIENT: Final = "client"
LINK: Final = "login link"


def name_of(*, is_operator: bool) -> str:
    return OPERATOR if is_operator else CLIENT


async def audited(
    work: Coroutine[Any, Any, T],
    who: str,
    action: str,
    number: str,
    detail: str | Callable[[T], str] | None = None,
) -> T:
    """Do the work, even if the caller hangs up, and record it in the audit log.

    The detail is a text, or a function that makes it from the result. What clients do is limited,
    because the log is kept for ever, and most of it starts a worker.
    """
    if who != OPERATOR:
        try:
            context().authenticator.count_change(number)
        except ApiError:
            work.close()
            raise

    async def do() -> T:
        done = await work
        written = detail(done) if callable(detail) else detail
        await context().gateway.audit.append(who, action, number, written)
        return done

    return await context().work.run(do())


async def audited_if_possible(
    work: Coroutine[Any, Any, T], who: str, action: str, number: str
) -> T:
    """Like `audited`, for work whose result cannot be had again, such as a token shown only once."""

    async def do() -> T:
        done = await work
        try:
            await context().gateway.audit.append(who, action, number)
        except DatabaseError:
            logger.exception(
                "number %s: the audit log does not say that %s has %s it", number, who, action
            )
        return done

    return await context().work.run(do())


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
