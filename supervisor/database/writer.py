"""Group commit: all waiting jobs share one transaction; a worker's job is refused if a newer worker has started."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import bindparam, select, tuple_

from supervisor.database import tables
from supervisor.errors import DatabaseUnavailable, NumberUnknown, StaleEpoch
from supervisor.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from supervisor.database.transactions import Transactor

    Handler = Callable[[Connection, list[Any]], Sequence[Any]]
    from collections.abc import Iterable


Item = TypeVar("Item")
Answer = TypeVar("Answer")

_MOST_JOBS = 500  # jobs in one transaction
_MOST_OF_ONE = 100  # jobs of one number in one transaction
_MOST_WAITING = 5000  # jobs of one number in memory


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """An item that waits to be handled."""

    handler: Handler
    item: Any
    answer: asyncio.Future[Any]

    def finish(self, outcome: object) -> None:
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


class Turns:
    """The waiting jobs of each owner; owners take turns, so that none waits behind a flood of another.

    Jobs without an owner, whose name is empty, take turns like those of one owner, but without a
    limit.
    """

    def __init__(self, most: int = _MOST_JOBS, of_one: int = _MOST_OF_ONE) -> None:
        self._most = most
        self._of_one = of_one
        self._waiting: dict[str, deque[Any]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def count(self, owner: str) -> int:
        return len(self._waiting.get(owner, ()))

    def put(self, owner: str, job: Any) -> None:
        self._waiting.setdefault(owner, deque()).append(job)

    def pop(self) -> list[Any]:
        """Return the next jobs: one of each owner, then another one of each, and so on."""
        chosen: list[Any] = []
        counts: Counter[str] = Counter()
        while len(chosen) < self._most:
            ready = [each for each in self._waiting if not each or counts[each] < self._of_one]
            if not ready:
                break
            for owner in ready[: self._most - len(chosen)]:
                chosen.append(self._pop_of(owner))
                counts[owner] += 1
        return chosen

    def _pop_of(self, owner: str) -> Any:
        """Return the oldest job of an owner, who then goes to the end of the line."""
        waiting = self._waiting.pop(owner)
        job = waiting.popleft()
        if waiting:
            self._waiting[owner] = waiting
        return job


class _JobFailed(Exception):
    """A job raised before the commit began."""


class Writer:
    """Collects jobs while a commit is running, and runs them in the next transaction."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor
        self._jobs = Turns()
        self._added = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None
        self.commits = Histogram()

    def start(self) -> None:
        self._is_closing = False
        self._task = asyncio.create_task(self._serve(), name="database writer")

    async def stop(self) -> None:
        """Finish the accepted jobs and refuse new ones."""
        task, self._task = self._task, None
        if task is not None:
            self._is_closing = True
            self._added.set()
            await task

    async def run(self, unit: Callable[[Connection], Answer], owner: str = "") -> Answer:
        """Run the unit in a shared transaction, and return its answer after the commit.

        Numbers have turns; the owner is the number to which the unit belongs. If a unit raises, only
        its own caller gets the error. The other units of the transaction are then run a second
        time, after a rollback.
        """
        answer: Answer = await self._submit(functools.partial(_run_alone, unit), None, owner)
        return answer

    async def together(
        self,
        handler: Callable[[Connection, list[Item]], Sequence[Answer]],
        item: Item,
        owner: str = "",
    ) -> Answer:
        """Like `run`, but one call of the handler gets all items that wait for it.

        The handler returns its answers in the order of the items.
        """
        answer: Answer = await self._submit(handler, item, owner)
        return answer

    async def _submit(self, handler: Handler, item: Any, owner: str) -> Any:
        if self._task is None:
            raise DatabaseUnavailable("the gateway is closing")
        job = _Job(handler, item, asyncio.get_running_loop().create_future())
        if owner and self._jobs.count(owner) >= _MOST_WAITING:
            raise DatabaseUnavailable("too many writes of this number wait")
        self._jobs.put(owner, job)
        self._added.set()
        return await job.answer

    async def _serve(self) -> None:
        while self._jobs or not self._is_closing:
            await self._added.wait()
            # In one turn of the event loop all tasks that are about to write add their jobs.
            await asyncio.sleep(0)
            jobs = [job for job in self._jobs.pop() if not job.answer.done()]
            if not self._jobs and not self._is_closing:
                self._added.clear()
            if jobs:
                await self._carry_out(jobs)

    async def _carry_out(self, jobs: list[_Job]) -> None:
        began = time.monotonic()
        try:
            outcomes = await self._all_at_once(jobs)
        except _JobFailed:
            outcomes = await self._after_failure(jobs)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody has cancelled us: the driver raises this, and the writer has to go on.
            outcomes = [_Failure(DatabaseUnavailable("the connection was given up"))] * len(jobs)
        except Exception as exc:  # noqa: BLE001 - every caller gets the error
            outcomes = [_Failure(exc)] * len(jobs)
        self.commits.observe(time.monotonic() - began)
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.finish(outcome)

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
                # A failed commit must not be handled like this, because it may have succeeded.
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


_number = tables.number.c
# The rows are locked so that on PostgreSQL no other gateway takes a new epoch before our commit; on
# SQLite the file is locked anyway. Not FOR SHARE: two gateways that both held a shared lock and
# then changed the row would wait for each other.
_lock = select(_number.digits, _number.epoch).with_for_update(key_share=True)
_lock_one = _lock.where(_number.digits == bindparam("number"), _number.epoch == bindparam("epoch"))


def fresh_claims(connection: Connection, claims: Iterable[Claim]) -> frozenset[Claim]:
    """Return the claims that are valid and stay valid until this transaction commits."""
    asked = tuple_(_number.digits, _number.epoch).in_(sorted(set(claims)))
    rows = connection.execute(_lock.where(asked).order_by(_number.digits))
    return frozenset(Claim(*row) for row in rows)


def require_fresh(connection: Connection, claim: Claim) -> None:
    """Raise unless the claim is valid."""
    if connection.execute(_lock_one, claim._asdict()).first() is not None:
        return
    known = select(_number.digits).where(_number.digits == claim.number)
    if connection.execute(known).first() is None:
        raise NumberUnknown
    raise StaleEpoch


class Claim(NamedTuple):
    """The number and the epoch of the worker on whose behalf something is written."""

    number: str
    epoch: int
