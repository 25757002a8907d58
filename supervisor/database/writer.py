"""Group commit: one transaction for all jobs that wait."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from supervisor.database.transactions import Transactor

    Handler = Callable[[Connection, list[Any]], Sequence[Any]]

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_MOST = 500  # jobs in one transaction


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """An item that waits for its handler's answer."""

    handler: Handler
    item: Any
    answer: asyncio.Future[Any]

    def settle(self, outcome: object) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, _Failure):
            self.answer.set_exception(outcome.error)
        else:
            self.answer.set_result(outcome)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A job's outcome when it raised."""

    error: Exception


class _JobFailed(Exception):
    """One of the jobs raised before the commit was tried."""


class Writer:
    """Commits what arrived while the last commit ran, then answers everyone at once."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve(), name="database writer")

    async def stop(self) -> None:
        """Finish what was handed in, take nothing more."""
        task, self._task = self._task, None
        if task is not None:
            self._jobs.put_nowait(None)
            await task

    async def run(self, unit: Callable[[Connection], Answer]) -> Answer:
        """Run the unit in a shared transaction; the answer comes after the commit.

        A unit that raises fails alone. It may be run twice, the first time being rolled back.
        """
        answer: Answer = await self._submit(functools.partial(_run_alone, unit), None)
        return answer

    async def together(
        self,
        handler: Callable[[Connection, list[Item]], Sequence[Answer]],
        item: Item,
    ) -> Answer:
        """Like `run`, but one call of the handler takes all items that wait for it.

        The answers are in the order of the items.
        """
        answer: Answer = await self._submit(handler, item)
        return answer

    async def _submit(self, handler: Handler, item: Any) -> Any:
        if self._task is None:
            raise DatabaseUnavailable("the gateway is closing")
        job = _Job(handler, item, asyncio.get_running_loop().create_future())
        self._jobs.put_nowait(job)
        return await job.answer

    async def _serve(self) -> None:
        closing = False
        while not closing:
            batch = [await self._jobs.get()]
            # One turn of the loop lets all who are about to write get aboard.
            await asyncio.sleep(0)
            while not self._jobs.empty() and len(batch) < _MOST:
                batch.append(self._jobs.get_nowait())
            closing = batch[-1] is None
            jobs = [job for job in batch if job is not None and not job.answer.done()]
            if jobs:
                await self._settle(jobs)

    async def _settle(self, jobs: list[_Job]) -> None:
        try:
            outcomes = await self._all_at_once(jobs)
        except _JobFailed:
            outcomes = await self._after_failure(jobs)
        except Exception as exc:  # noqa: BLE001 - every caller gets it
            outcomes = [_Failure(exc)] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.settle(outcome)

    async def _after_failure(self, jobs: list[_Job]) -> list[object]:
        try:
            return await self._one_by_one(jobs)
        except Exception as exc:  # noqa: BLE001 - every caller gets it
            return [_Failure(exc)] * len(jobs)

    async def _all_at_once(self, jobs: list[_Job]) -> list[object]:
        """No savepoints: they would cost two statements for each job."""

        def work(connection: Connection) -> list[object]:
            try:
                return _run_grouped(connection, jobs)
            except Exception as exc:
                # A failed commit must not come here: it may have happened all the same.
                raise _JobFailed from exc

        return await self._transactor.transact(work)

    async def _one_by_one(self, jobs: list[_Job]) -> list[object]:

        def work(connection: Connection) -> list[object]:
            return [_run_isolated(connection, job) for job in jobs]

        return await self._transactor.transact(work)


def _run_alone(
    unit: Callable[[Connection], Answer],
    connection: Connection,
    _items: list[None],
) -> list[Answer]:
    return [unit(connection)]


def _run_grouped(connection: Connection, jobs: list[_Job]) -> list[object]:
    groups: dict[Handler, list[int]] = {}
    for place, job in enumerate(jobs):
        groups.setdefault(job.handler, []).append(place)
    answers: list[object] = [None] * len(jobs)
    for handler, places in groups.items():
        group = handler(connection, [jobs[place].item for place in places])
        for place, answer in zip(places, group, strict=True):
            answers[place] = answer
    return answers


def _run_isolated(connection: Connection, job: _Job) -> object:
    try:
        with connection.begin_nested():
            [answer] = job.handler(connection, [job.item])
    except Exception as exc:  # noqa: BLE001 - its caller gets it
        return _Failure(exc)
    return answer
