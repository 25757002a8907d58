"""Alarms are stored whatever happens to the database, each once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from supervisor.config import Config
from supervisor.errors import DatabaseUnavailable
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
