"""SECRET_KEY is changed while the database is in use, whatever happens on the way."""

from __future__ import annotations

import base64
import os

import pytest

from supervisor.errors import SecretKeyWrong
from supervisor.journal.browsing import Selection
from supervisor.store.store import Store
from supervisor.store.values import NewNumber, Session, UpdateState
from supervisor.upkeep import KeyRotation
from tests.process.supervisor.programs import running, said
from tests.unit.supervisor.rows import outgoing

NUMBERS = [f"7900000000{place}" for place in range(4)]
SESSION = Session(2, "149.154.167.50", 443, os.urandom(256), 777, UpdateState(5, 6, 7, 8))


def make_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


async def test_killed_rotation_goes_on(database_url: str) -> None:
    """After SIGKILL in the midst both keys are needed; after the next run the new one is enough."""
    old, new = make_key(), make_key()
    async with Store(database_url, old) as store:
        for number in NUMBERS:
            await _fill(store, number)

    async with running("rotate_slowly", database_url, f"{new},{old}") as program:
        assert program.stdin is not None
        assert await said(program) == NUMBERS[0]
        program.stdin.write(b"\n")
        assert await said(program) == NUMBERS[1]
        program.kill()
        await program.wait()

    for alone in (old, new):
        with pytest.raises(SecretKeyWrong, match="put the old key back"):
            await Store(database_url, alone).start()
    async with Store(database_url, f"{new},{old}") as store:
        assert await store.keys.count_old() == 2 + 1
        assert [await _text(store, number) for number in NUMBERS] == NUMBERS
        assert await KeyRotation(store.keys).rotate()

    async with Store(database_url, new) as store:
        assert [await _text(store, number) for number in NUMBERS] == NUMBERS
        assert [await store.sessions.load(number) for number in NUMBERS] == [SESSION] * 4


async def _fill(store: Store, number: str) -> None:
    created = await store.numbers.create(NewNumber(number, "Acme", "https://acme.example", "t"))
    await store.sessions.save(number, created.number.epoch, SESSION)
    journal = await store.journals.open(number)
    await journal.accept(outgoing(number), is_new_chat=True)


async def _text(store: Store, number: str) -> str:
    """Read what `outgoing` wrote for the number."""
    journal = await store.journals.open(number)
    (entry,) = await journal.list(Selection())
    return (entry.text or "").removeprefix("part 0 of ")
