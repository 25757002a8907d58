"""Decides which changes are alarms; what many numbers have in common becomes one alarm."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from session_worker.protocol.messages import FailureCode
from supervisor.numbers.state import State
from supervisor.numbers.view import Attention, attention_to
from supervisor.processes.worker_exit import WorkerExit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from supervisor.numbers.state import Change

FEWEST = 3  # numbers with one cause that get one alarm together
LASTING = 15.0  # seconds after which a trouble that may pass by itself raises an alarm
STORE_FAILED = WorkerExit.STORE_FAILED.value
OLD = 300.0  # seconds after which a message has been waiting for too long


class Kind(StrEnum):
    """What an alarm is about."""

    STATE = "number.state"
    NEEDS_SOMEBODY = "number.needs_somebody"
    WELL_AGAIN = "number.well_again"
    DEAD = "message.dead"
    BACKLOG_OLD = "backlog.old"
    FLEET = "fleet.trouble"


class Alarm(NamedTuple):
    """Something that people want to be told; `cause` is a code, `at` is in seconds since 1970."""

    kind: Kind
    at: float
    numbers: tuple[str, ...]
    client: str | None
    state: State | None
    cause: str | None
    messages: int = 0
    """How many messages it is about."""


class _Cause(NamedTuple):
    """A cause that numbers may share; the client is empty unless the cause lies with one client."""

    client: str
    code: str


class _Trouble(NamedTuple):
    """The trouble of one number, and since when it has it."""

    cause: _Cause
    attention: Attention
    change: Change
    since: float


_OF_CLIENTS = frozenset(FailureCode)


class AlarmRules:
    """Remembers which alarms were sent, so that none is sent twice."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._dead: Counter[tuple[str, str, str]] = Counter()
        self._states: dict[str, State] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._told: dict[str, _Cause] = {}
        self._shared: dict[_Cause, set[str]] = {}
        self._old: set[str] = set()
        self._is_database_failing = False

    def add_change(self, change: Change) -> None:
        self._changes.append(change)

    def add_dead(self, number: str, client: str, codes: Iterable[str]) -> None:
        for code in codes:
            self._dead[client, code, number] += 1

    def decide(self, now: float) -> list[Alarm]:
        """Return the alarms about what was added since the last call, and about what lasts."""
        changes, self._changes = self._changes, []
        alarms = [alarm for change in changes for alarm in self._follow(change)]
        alarms += self._report_shared(now)
        alarms += self._report_single()
        alarms += self._report_dead(now)
        return alarms

    def decide_database(self, now: float, since: float | None) -> list[Alarm]:
        """Return an alarm once nothing has been stored for so long, and one when it is over."""
        is_failing = since is not None and now - since >= LASTING
        if is_failing == self._is_database_failing:
            return []
        self._is_database_failing = is_failing
        kind, at = (Kind.FLEET, since or now) if is_failing else (Kind.WELL_AGAIN, now)
        return [Alarm(kind, at, (), None, None, STORE_FAILED)]

    def decide_backlog(
        self, now: float, oldest: Mapping[str, float], clients: Mapping[str, str]
    ) -> list[Alarm]:
        """Return an alarm for each client of numbers whose messages have only now waited for too long."""
        old = {number for number, since in oldest.items() if now - since > OLD}
        groups: dict[str, list[str]] = defaultdict(list)
        for number in sorted(old - self._old):
            groups[clients.get(number, "")].append(number)
        self._old = old
        return [
            Alarm(Kind.BACKLOG_OLD, now, tuple(numbers), client or None, None, "backlog_old")
            for client, numbers in groups.items()
        ]

    def _follow(self, change: Change) -> Iterator[Alarm]:
        number, code = change.number, change.cause.code if change.cause else None
        if self._states.get(number) is not change.state:
            self._states[number] = change.state
            yield _alarm(Kind.STATE, change, code)
        attention = attention_to(change.state, code)
        cause = _cause_of(change, code)
        held = self._troubles.pop(number, None)
        if attention is not Attention.NONE and cause is not None:
            since = held.since if held and held.cause == cause else change.at
            self._troubles[number] = _Trouble(cause, attention, change, since)
        elif change.state is State.STOPPED:
            # Somebody has stopped it, maybe only to start it again, so it is not well again yet.
            for numbers in self._shared.values():
                numbers.discard(number)
        elif attention is Attention.NONE and number in self._told:
            del self._told[number]
            yield _alarm(Kind.WELL_AGAIN, change, None)

    def _report_shared(self, now: float) -> Iterator[Alarm]:
        """Report a cause once when enough numbers have it, and once when none has it any more."""
        groups: dict[_Cause, list[str]] = defaultdict(list)
        for number, trouble in sorted(self._troubles.items()):
            lasts = trouble.attention is Attention.NEEDS_SOMEBODY or now - trouble.since >= LASTING
            if lasts:
                groups[trouble.cause].append(number)
        for cause, numbers in groups.items():
            if cause in self._shared:
                self._shared[cause].update(numbers)
            elif len(numbers) >= FEWEST:
                self._shared[cause] = set(numbers)
                yield self._alarm_of(Kind.FLEET, cause, numbers, now)
        active = {trouble.cause for trouble in self._troubles.values()}
        for cause in [each for each in self._shared if each not in active]:
            numbers = sorted(self._shared.pop(cause))
            if numbers:
                yield self._alarm_of(Kind.WELL_AGAIN, cause, numbers, now)

    def _report_single(self) -> Iterator[Alarm]:
        for number, trouble in self._troubles.items():
            is_due = trouble.attention is Attention.NEEDS_SOMEBODY
            is_told = self._told.get(number) == trouble.cause or trouble.cause in self._shared
            if is_due and not is_told:
                self._told[number] = trouble.cause
                yield _alarm(Kind.NEEDS_SOMEBODY, trouble.change, trouble.cause.code)

    def _report_dead(self, now: float) -> Iterator[Alarm]:
        dead, self._dead = self._dead, Counter()
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        counts: Counter[tuple[str, str]] = Counter()
        for (client, code, number), count in dead.items():
            groups[client, code].append(number)
            counts[client, code] += count
        for (client, code), numbers in groups.items():
            named = tuple(sorted(numbers))
            count = counts[client, code]
            yield Alarm(Kind.DEAD, now, named, client or None, None, code, count)

    def _alarm_of(self, kind: Kind, cause: _Cause, numbers: Sequence[str], now: float) -> Alarm:
        states = {self._states.get(number) for number in numbers}
        state = states.pop() if len(states) == 1 else None
        return Alarm(kind, now, tuple(numbers), cause.client or None, state, cause.code)


def _cause_of(change: Change, code: str | None) -> _Cause | None:
    if code is not None:
        return _Cause(change.client if code in _OF_CLIENTS else "", code)
    # Without a code, a number that starts is on its way, and every other state is its own trouble.
    return None if change.state is State.STARTING else _Cause("", change.state)


def _alarm(kind: Kind, change: Change, cause: str | None) -> Alarm:
    return Alarm(kind, change.at, (change.number,), change.client or None, change.state, cause)
