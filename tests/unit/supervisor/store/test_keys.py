"""SECRET_KEY against the database: proof at start, rotation."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from supervisor.database import tables
from supervisor.errors import SecretKeyMalformed, SecretKeyWrong
from supervisor.store.keys import RewrapStep
from supervisor.store.store import Store
from supervisor.upkeep import KeyRotation
from tests.unit.supervisor.store.conftest import make_key

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from supervisor.store.values import NewNumber


async def test_wrong_key_refuses_to_start(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """Another SECRET_KEY stops the start, after which the right one finds all as it was."""
    async with Store(database_url, secret_key) as store:
        created = await store.numbers.create(acme)

    with pytest.raises(SecretKeyWrong, match="SECRET_KEY"):
        await Store(database_url, make_key()).start()

    async with Store(database_url, secret_key) as store:
        assert await store.numbers.list() == (created.number,)
        assert (await store.numbers.secrets(acme.number)).token_planfix == acme.token_planfix


async def test_wrong_key_leaves_the_file_as_it_is(tmp_path: Path, secret_key: str) -> None:
    """Not a byte of the database changes."""
    file = tmp_path / "telefix.db"
    async with Store(f"sqlite:///{file}", secret_key):
        pass
    before = await asyncio.to_thread(file.read_bytes)

    with pytest.raises(SecretKeyWrong):
        await Store(f"sqlite:///{file}", make_key()).start()

    assert await asyncio.to_thread(file.read_bytes) == before


async def test_malformed_key_touches_no_database(tmp_path: Path) -> None:
    """A SECRET_KEY that is none stops before the database is made."""
    with pytest.raises(SecretKeyMalformed):
        Store(f"sqlite:///{tmp_path / 'telefix.db'}", "short")

    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_rotation_lets_the_old_key_go(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """After the rotation the new key alone is enough, the old one good for nothing."""
    new_key = make_key()
    async with Store(database_url, secret_key) as store:
        for place in range(5):
            await store.numbers.create(replace(acme, number=f"7900000000{place}"))
        token = (await store.numbers.create(acme)).token

    async with Store(database_url, f"{new_key},{secret_key}") as store:
        before = await store.keys.count_old()
        is_over = await KeyRotation(store.keys).rotate(piece=4)
        after = await store.keys.count_old()

    assert (before, is_over, after) == (6 + 1, True, 0)
    with pytest.raises(SecretKeyWrong):
        await Store(database_url, secret_key).start()
    async with Store(database_url, new_key) as store:
        assert (await store.numbers.secrets(acme.number)).token_planfix == acme.token_planfix
        assert await store.numbers.get_with_token(acme.number, token)


async def test_old_key_is_missed_until_all_is_moved(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """A rotation that was broken off does not start without the old key."""
    new_key = make_key()
    async with Store(database_url, secret_key) as store:
        await store.numbers.create(acme)

    async with Store(database_url, f"{new_key},{secret_key}") as store:
        moved = await store.keys.rewrap()
        assert moved == RewrapStep(1, (), acme.number)
        assert await store.keys.count_old() == 1

    with pytest.raises(SecretKeyWrong):
        await Store(database_url, new_key).start()


async def test_new_key_is_missed_once_it_was_used(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """Nobody goes back to the old key alone when a number needs the new one."""
    async with Store(database_url, secret_key):
        pass
    async with Store(database_url, f"{make_key()},{secret_key}") as store:
        await store.numbers.create(acme)

    with pytest.raises(SecretKeyWrong, match="numbers that need another key: 1"):
        await Store(database_url, secret_key).start()


async def test_damaged_data_key_stops_no_other(
    database_url: str, secret_key: str, acme: NewNumber, caplog: pytest.LogCaptureFixture
) -> None:
    """One data key that does not open is told; the others move, the old key stays needed."""
    other = replace(acme, number="79009999999")
    async with Store(database_url, secret_key) as store:
        for number in (acme, other):
            await store.numbers.create(number)
        await store.database.write(_damage, acme.number)

    async with Store(database_url, f"{make_key()},{secret_key}") as store:
        is_over = await KeyRotation(store.keys).rotate(piece=1)

        assert (is_over, await store.keys.count_old()) == (False, 1 + 1)
        assert (await store.numbers.secrets(other.number)).token_planfix == other.token_planfix
    assert f"number {acme.number}: its data key cannot be opened" in caplog.text


def _damage(connection: Connection, number: str) -> None:
    row = tables.number.c
    wrapped = connection.execute(select(row.data_key).where(row.digits == number)).scalar_one()
    damaged = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    change = update(tables.number).where(row.digits == number)
    connection.execute(change.values(data_key=damaged))
