"""What the handlers share: settings, gateway, authenticator, and work that survives a hang-up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from quart import current_app

from api.requests.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Coroutine

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
        shared.gateway.require_active()
    return shared
