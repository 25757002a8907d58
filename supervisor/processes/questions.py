"""Questions to a worker that wait for their answers."""

from __future__ import annotations

import asyncio
import itertools
from typing import Generic, TypeVar

from supervisor.errors import WorkerTimeout, WorkerUnavailable

Answer = TypeVar("Answer")


class Questions(Generic[Answer]):
    """Passes each answer to the caller who asked, by the request id that both carry."""

    def __init__(self, patience: float) -> None:
        """Let a question wait for so many seconds."""
        self._patience = patience
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer | None]] = {}

    def open(self) -> int:
        """Announce a question; return the id it must carry."""
        request_id = next(self._ids)
        self._waiting[request_id] = asyncio.get_running_loop().create_future()
        return request_id

    async def wait(self, request_id: int) -> Answer:
        """Wait for the answer; raise if the worker ends or does not answer in time."""
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._waiting[request_id]
        except TimeoutError as exc:
            raise WorkerTimeout from exc
        finally:
            del self._waiting[request_id]
        if answer is None:
            raise WorkerUnavailable
        return answer

    async def wait_for_all(self, patience: float) -> None:
        """Wait until the questions that are open now are answered, or for so many seconds."""
        if self._waiting:
            await asyncio.wait(set(self._waiting.values()), timeout=patience)

    def answer(self, request_id: int | None, answer: Answer) -> None:
        """Pass an answer on, unless its caller has stopped waiting."""
        waiting = self._waiting.get(request_id) if request_id is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def abort(self) -> None:
        """Tell all callers that no answer will come, because the worker is gone."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
