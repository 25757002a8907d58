"""Alarms are stored whatever happens to the database, each once."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from supervisor.config import Config
from supervisor.errors import DatabaseUnavailable
from supervisor.monitoring.alarm_client import AlarmRefused
from supervisor.monitoring.alarm_rules import LASTING
from supervisor.monitoring.alarms import Alarms
from supervisor.numbers.state import Change, State
from supervisor.store.history import AlarmRows
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from supervisor.store.history import StoredAlarm
    from supervisor.store.store import Store
    from supervisor.store.values import Bot
    from tests.support.clock import AutojumpClock


class RowsThatFailTwice(AlarmRows):
    """A database that is away at first; what it is given then may be stored all the same."""

    def __init__(self) -> None:
        self.tries: list[list[str]] = []

    async def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.tries.append([row["id"] for row in rows])
        if len(self.tries) <= 2:
            raise DatabaseUnavailable

    async def failing_since(self) -> float | None:
        return None

    async def due(self, now: float, limit: int) -> tuple[StoredAlarm, ...]:
        return ()


class NoBots:
    """No bot is there."""

    async def list(self) -> dict[str, Bot]:
        return {}


async def test_alarm_waits_for_the_database(tmp_path: Path, autojump_clock: AutojumpClock) -> None:
    """An alarm that cannot be stored is stored later, under its id, before those that follow."""
    rows = RowsThatFailTwice()
    store = cast("Store", SimpleNamespace(alarms=rows, bots=NoBots(), alarm_keys=(b"k" * 32,)))
    alarms = Alarms(store, Config(tmp_path, tmp_path, 1, "hash", alert_url="http://127.0.0.1:1/"))
    alarms.start()
    alarms.add_change(Change("380501", "Acme", 1.0, State.ONLINE, None))
    await eventually(lambda: len(rows.tries) == 1, awaited="the first try")
    alarms.add_change(Change("380501", "Acme", 2.0, State.STOPPED, None))

    await eventually(lambda: len(rows.tries) == 3, awaited="the third try")
    await alarms.stop()

    first, second, third = rows.tries
    assert (len(first), len(second)) == (1, 2)
    assert second == third
    assert second[0] == first[0]


class RowsOnAFullDisk(RowsThatFailTwice):
    """A database that takes nothing until it has room."""

    def __init__(self) -> None:
        super().__init__()
        self.has_room = False
        self.stored: list[str] = []

    async def failing_since(self) -> float | None:
        return None if self.has_room else time.time() - 2 * LASTING

    async def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not self.has_room:
            raise DatabaseUnavailable
        self.stored += [json.loads(row["body"])["type"] for row in rows]


class NoJournals:
    """Nothing waits."""

    async def counts(self) -> dict[str, Any]:
        return {}


class Receiver:
    """Notes what it is told, but not at the first call."""

    def __init__(self) -> None:
        self.calls = 0
        self.told: list[tuple[str, str]] = []

    async def send(self, alarm_id: str, body: str, now: float) -> None:
        self.calls += 1
        if self.calls == 1:
            raise AlarmRefused("busy")
        alarm = json.loads(body)
        self.told.append((alarm["type"], alarm["cause"]))

    async def close(self) -> None:
        pass


async def test_database_that_takes_nothing_is_told_at_once(
    tmp_path: Path, autojump_clock: AutojumpClock
) -> None:
    """Of a full disk people are told without the disk, once; what follows is stored again."""
    rows, receiver = RowsOnAFullDisk(), Receiver()
    parts = {"alarms": rows, "bots": NoBots(), "journals": NoJournals()}
    store = cast("Store", SimpleNamespace(**parts, alarm_keys=(b"k" * 32,)))
    alarms = Alarms(store, Config(tmp_path, tmp_path, 1, "hash", alert_url="http://127.0.0.1:1/"))
    alarms.start()
    alarms.way = receiver
    await eventually(lambda: receiver.told, awaited="the alarm")
    await asyncio.sleep(10)

    rows.has_room = True
    await eventually(lambda: rows.stored, awaited="the end of it")
    await alarms.stop()

    assert receiver.told == [("fleet.trouble", "store_failed")]
    assert rows.stored == ["number.well_again"]
