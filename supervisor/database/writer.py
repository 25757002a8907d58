"""Group commit: one transaction for all jobs that wait."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from supervisor.database.engines import writing_engine, writing_sqlite_engine
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

    from sqlalchemy import URL, Connection, Dialect, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    Handler = Callable[[AsyncConnection, list[Any]], Awaitable[Sequence[Any]]]

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

    async def run(self, unit: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        """Run the unit in a shared transaction; the answer comes after the commit.

        A unit that raises fails alone. It may be run twice, the first time being rolled back.
        """
        answer: Answer = await self._submit(functools.partial(_run_alone, unit), None)
        return answer

    async def together(
        self,
        handler: Callable[[AsyncConnection, list[Item]], Awaitable[Sequence[Answer]]],
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

        async def work(connection: AsyncConnection) -> list[object]:
            try:
                return await _run_grouped(connection, jobs)
            except Exception as exc:
                # A failed commit must not come here: it may have happened all the same.
                raise _JobFailed from exc

        return await self._transactor.transact(work)

    async def _one_by_one(self, jobs: list[_Job]) -> list[object]:

        async def work(connection: AsyncConnection) -> list[object]:
            return [await _run_isolated(connection, job) for job in jobs]

        return await self._transactor.transact(work)


async def _run_alone(
    unit: Callable[[AsyncConnection], Awaitable[Answer]],
    connection: AsyncConnection,
    _items: list[None],
) -> list[Answer]:
    return [await unit(connection)]


async def _run_grouped(connection: AsyncConnection, jobs: list[_Job]) -> list[object]:
    groups: dict[Handler, list[int]] = {}
    for place, job in enumerate(jobs):
        groups.setdefault(job.handler, []).append(place)
    answers: list[object] = [None] * len(jobs)
    for handler, places in groups.items():
        group = await handler(connection, [jobs[place].item for place in places])
        for place, answer in zip(places, group, strict=True):
            answers[place] = answer
    return answers


async def _run_isolated(connection: AsyncConnection, job: _Job) -> object:
    try:
        async with connection.begin_nested():
            [answer] = await job.handler(connection, [job.item])
    except Exception as exc:  # noqa: BLE001 - its caller gets it
        return _Failure(exc)
    return answer


Given = ParamSpec("Given")


class Transactor(Protocol):
    """Runs a piece of work in a transaction of its own."""

    @property
    def engine(self) -> Engine: ...

    async def transact(self, work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        """Commit when the work is done, roll back if it raises."""
        ...

    async def dispose(self) -> None: ...


def open_transactor(url: URL) -> Transactor:
    if url.get_backend_name() == "sqlite":
        return ThreadTransactor(writing_sqlite_engine(url))
    return LoopTransactor(writing_engine(url))


class LoopTransactor:
    """For a server: its answers are awaited one by one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.engine = engine.sync_engine

    async def transact(self, work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        async with self._engine.begin() as connection:
            return await work(connection)

    async def dispose(self) -> None:
        await self._engine.dispose()


class ThreadTransactor:
    """For SQLite: all statements of a transaction run in a thread at one stretch.

    With two changes of threads for each statement, as aiosqlite has them, a message costs twice
    the processor, and the numbers beside a flooded one wait three times as long.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def transact(self, work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        return await self._call(self._transact, work)

    async def dispose(self) -> None:
        await self._call(self.engine.dispose)
        self._thread.shutdown(wait=False)  # it has nothing left to do

    def _transact(self, work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        with self.engine.begin() as connection:
            # It has what units of work call, each of its coroutines is done at once.
            prompt = cast("AsyncConnection", PromptConnection(connection))
            return _run(cast("Coroutine[Any, Any, Answer]", work(prompt)))

    async def _call(self, function: Callable[..., Answer], *given: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *given)


class PromptConnection:
    """Looks like an AsyncConnection, but never has to wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, *given: Any) -> Any:
        return self._connection.execute(*given)

    async def scalars(self, *given: Any) -> Any:
        return self._connection.scalars(*given)

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        with self._connection.begin_nested():
            yield

    async def run_sync(
        self,
        function: Callable[Concatenate[Connection, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        return function(self._connection, *args, **kwargs)


def _run(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to its end what awaits nothing but its connection."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    coroutine.close()
    raise RuntimeError("a unit of work must await nothing but its connection")
