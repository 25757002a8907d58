"""Whom a message is for: a known chat, or somebody to be found in Telegram."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

from session_worker.protocol.messages import Resolve
from supervisor.errors import RecipientUnknown, ResolvingDelayed, WorkerTimeout, WorkerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.protocol.contract import Command
    from session_worker.protocol.messages import Contact, Resolved
    from supervisor.numbers.registration import OutgoingDraft

PATIENCE = 10.0  # seconds


class Resolver:
    """Brings answers to those who asked; a worker that is gone answers nobody any more."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Resolved | None]] = {}

    async def ask(self, draft: OutgoingDraft, tell: Callable[[Command], None]) -> Contact:
        """Return who was found, or raise why nobody was."""
        request_id = next(self._ids)
        self._asked[request_id] = asyncio.get_running_loop().create_future()
        question = Resolve(
            request_id=request_id,
            user_id=draft.user_id,
            username=draft.username,
            phone=draft.phone,
        )
        tell(question)
        try:
            async with asyncio.timeout(self._patience):
                return _contact_of(await self._asked[request_id])
        except TimeoutError as exc:
            raise WorkerTimeout from exc
        finally:
            del self._asked[request_id]

    def hear(self, answer: Resolved) -> None:
        self._settle(answer.request_id, answer)

    def hang_up(self) -> None:
        """Tell all who wait that no answer will come."""
        for request_id in self._asked:
            self._settle(request_id, None)

    def _settle(self, request_id: int, answer: Resolved | None) -> None:
        asked = self._asked.get(request_id)
        if asked is not None and not asked.done():
            asked.set_result(answer)


def _contact_of(answer: Resolved | None) -> Contact:
    if answer is None:
        raise WorkerUnavailable
    if answer.contact is not None:
        return answer.contact
    failure = answer.failure
    if failure is not None and failure.next_try is not None:
        wait = failure.next_try - time.time()
        raise ResolvingDelayed(failure.detail or failure.code, wait)
    raise RecipientUnknown((failure and failure.detail) or None)
