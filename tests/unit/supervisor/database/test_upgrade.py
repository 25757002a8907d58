"""A database of an older version serves this one."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from contextlib import closing
from pathlib import Path

from supervisor.database.tables import Login, RowState
from supervisor.journal.browsing import Selection
from supervisor.store.store import Store
from tests.unit.supervisor.database.test_migration import compare

# What version 0.1.0 wrote: a number with a login, an answer, a dead letter and three messages that wait.
OLD = Path(__file__).with_name("v0_1_0.sql")
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
NUMBER = "380509990001"


async def test_what_the_first_version_stored_is_there(tmp_path: Path) -> None:
    """After the upgrade the login opens, each message is in its state, and the tables are those of a new database."""
    file = tmp_path / "telefix.db"
    await asyncio.to_thread(restore, file)

    async with Store(f"sqlite+aiosqlite:///{file}", KEY) as store:
        number = await store.numbers.get(NUMBER)
        secrets = await store.numbers.secrets(NUMBER)
        session = await store.sessions.load(NUMBER)
        counts = (await store.journals.counts([NUMBER]))[NUMBER]
        journal = await store.journals.open(NUMBER)
        waiting = await journal.list(Selection(state=RowState.PENDING))
        dead = await journal.list(Selection(state=RowState.DEAD))
        differences = await store.database.read(compare)

    assert (number.client, number.login, secrets.token_planfix) == ("Shop", Login.DONE, "pf")
    assert session is not None
    assert session.updates is not None
    assert len(session.auth_key) == 256
    assert (counts.backlog.into, counts.dead.into) == (3, 1)
    assert [each.text for each in reversed(waiting)] == ["waiting 1", "waiting 2", "waiting 3"]
    assert [each.text for each in dead] == ["dead one"]
    assert differences == []


def restore(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.executescript(OLD.read_text())
