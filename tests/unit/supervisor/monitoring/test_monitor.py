"""What is kept of changes that are shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config import Config
from supervisor.monitoring.monitor import Monitor
from supervisor.numbers.state import Change, State
from supervisor.store.values import NewNumber
from tests.unit.supervisor.rows import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.store.store import Store

OTHER = "380500000099"


async def test_erased_number_leaves_no_past_to_the_next_one(store: Store, tmp_path: Path) -> None:
    """A change that was not stored yet when its number was erased does not become another number's past."""
    await store.numbers.create(NewNumber(OTHER, "Acme", "https://acme.example", "token"))
    config = Config(data_dir=tmp_path, session_root=tmp_path, api_id=1, api_hash="hash")
    monitor = Monitor(store, config, dict)
    monitor.start()
    for number in (NUMBER, OTHER):
        monitor.receive_change(Change(number, "Acme", 1.0, State.STOPPED, None))

    monitor.forget(NUMBER)
    await monitor.stop()

    assert await store.history.list(NUMBER, None, 10) == ()
    assert [each.state for each in await store.history.list(OTHER, None, 10)] == [State.STOPPED]
