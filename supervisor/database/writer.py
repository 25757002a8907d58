"""Group commit: all waiting jobs share one transaction."""

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

_MOST_JOBS = 500  # jobs in one transaction


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """An item that waits to be handled."""

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
    """The outcome of a job that raised."""

    error: Exception


class _JobFailed(Exception):
    """A job raised before the commit began."""


class Writer:
    """Collects jobs while a commit is running, and runs them in the next transaction."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve(), name="database writer")

    async def stop(self) -> None:
        """Finish the accepted jobs and refuse new ones."""
        task, self._task = self._task, None
        if task is not None:
            self._jobs.put_nowait(None)
            await task

    async def run(self, unit: Callable[[Connection], Answer]) -> Answer:
        """Run the unit in a shared transaction, and return its answer after the commit.

        If a unit raises, only its own caller gets the error. The other units of the transaction are
        then run a second time, after a rollback.
        """
        answer: Answer = await self._submit(functools.partial(_run_alone, unit), None)
        return answer

    async def together(
        self,
        handler: Callable[[Connection, list[Item]], Sequence[Answer]],
        item: Item,
    ) -> Answer:
        """Like `run`, but one call of the handler gets all items that wait for it.

        The handler returns its answers in the order of the items.
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
            # In one turn of the event loop all tasks that are about to write add their jobs.
            await asyncio.sleep(0)
            while not self._jobs.empty() and len(batch) < _MOST_JOBS:
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
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # It comes from within the driver; without the writer the gateway would stand still.
            outcomes = [_Failure(DatabaseUnavailable("the connection was given up"))] * len(jobs)
        except Exception as exc:  # noqa: BLE001 - every caller gets the error
            outcomes = [_Failure(exc)] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.settle(outcome)

    async def _after_failure(self, jobs: list[_Job]) -> list[object]:
        try:
            return await self._one_by_one(jobs)
        except Exception as exc:  # noqa: BLE001 - every caller gets the error
            return [_Failure(exc)] * len(jobs)

    async def _all_at_once(self, jobs: list[_Job]) -> list[object]:
        """Run the jobs without savepoints, which would cost two statements for each job."""

        def work(connection: Connection) -> list[object]:
            try:
                return _run_grouped(connection, jobs)
            except Exception as exc:
                if getattr(exc, "connection_invalidated", False):
                    raise  # no job is at fault, and each of them would wait for a new connection
                # A failed commit must not be handled like this: it may have succeeded all the same.
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
    except Exception as exc:  # noqa: BLE001 - its caller gets the error
        return _Failure(exc)
    return answer
