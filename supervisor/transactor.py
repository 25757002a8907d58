"""Whole transactions on the one connection that writes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from supervisor.database.engines import writing_engine, writing_sqlite_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from sqlalchemy import URL, Connection, Dialect, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Answer = TypeVar("Answer")
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
