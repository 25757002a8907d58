"""Logins with their peers in the store, on both databases."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from session_worker.protocol.contract import NO_HASH
from session_worker.protocol.outgoing import Outgoing, Part
from supervisor.database.tables import Login
from supervisor.encryption.vault import Vault
from supervisor.errors import GatewayError, NumberUnknown, SealBroken, SessionInUse
from supervisor.store.number_rows import require
from supervisor.store.sessions import import_login
from supervisor.store.values import Changes, Entity, Session, UpdateState
from tests.support.databases import execute
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sqlalchemy import Connection

    from supervisor.store.store import Store
    from supervisor.store.values import Created, NewNumber

OTHER = "79007654321"
SESSION = Session(2, "149.154.167.50", 443, os.urandom(256), 777, UpdateState(5, 6, 7, 8))


async def test_session_is_read_back(store: Store, created: Created) -> None:
    """A saved login comes back whole, the number being logged in."""
    number, epoch = created.number.number, created.number.epoch

    await store.sessions.save(number, epoch, SESSION)

    assert await store.sessions.load(number) == SESSION
    assert (await store.numbers.get(number)).login is Login.DONE


async def test_no_session_is_nothing(store: Store, created: Created) -> None:
    """A number that never logged in has no session."""
    assert await store.sessions.load(created.number.number) is None


async def test_saving_again_keeps_the_place_reached(store: Store, created: Created) -> None:
    """A key that only moved leaves the stored update state as it is."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    moved = replace(SESSION, dc_id=4, updates=None)

    await store.sessions.save(number, epoch, moved)

    assert await store.sessions.load(number) == replace(moved, updates=SESSION.updates)


async def test_new_login_of_the_account_goes_on(store: Store, created: Created) -> None:
    """After a lost login the same account goes on from its pts; what a key counts begins anew."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.sessions.drop(number, epoch)
    again = replace(SESSION, auth_key=os.urandom(256), updates=None)

    await store.sessions.save(number, epoch, again)

    assert await store.sessions.load(number) == replace(again, updates=UpdateState(5, 0, 7, 0))


@pytest.mark.parametrize(("held", "new"), [(777, 778), (None, 777)])
async def test_another_account_starts_afresh(
    store: Store, created: Created, held: int | None, new: int
) -> None:
    """Neither place nor peers of an account are used by one that is not known to be the same."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, replace(SESSION, user_id=held))
    await store.entities.save(number, epoch, [Entity(1, 2)])
    other = replace(SESSION, user_id=new, auth_key=os.urandom(256), updates=None)

    await store.sessions.save(number, epoch, other)

    assert await store.sessions.load(number) == other
    assert await store.entities.list(number) == ()


@pytest.mark.parametrize("is_dropped", [True, False])
async def test_new_login_forgets_hashes_but_no_names(
    store: Store, created: Created, is_dropped: bool
) -> None:
    """Access hashes belong to a login; by their names people can be found again."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.entities.save(number, epoch, [Entity(1, 2, "anna", "7900", "Anna")])
    if is_dropped:
        await store.sessions.drop(number, epoch)
    again = replace(SESSION, auth_key=os.urandom(256), updates=None)

    await store.sessions.save(number, epoch, again)

    forgotten = Entity(1, NO_HASH, "anna", "7900", "Anna")
    assert await store.entities.list(number) == (forgotten,)


async def test_same_login_keeps_its_hashes(store: Store, created: Created) -> None:
    """A worker that tells its key once more, or a file that comes again, changes no access hash."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.entities.save(number, epoch, [Entity(1, 2)])

    await store.sessions.save(number, epoch, replace(SESSION, user_id=None))

    assert await store.entities.list(number) == (Entity(1, 2),)


@pytest.mark.parametrize("pts", [3, 9])
@pytest.mark.parametrize("is_same_login", [True, False])
async def test_place_reached_wins_over_that_of_a_file(
    store: Store, created: Created, pts: int, is_same_login: bool
) -> None:
    """What the file's program read was not delivered here; what was must not come again."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    key = SESSION.auth_key if is_same_login else os.urandom(256)
    imported = Session(2, "149.154.167.50", 443, key, None, UpdateState(pts, 1, 1, 1))

    await store.sessions.save(number, epoch, imported)

    place = UpdateState(5, 6, 7, 8) if is_same_login else UpdateState(5, 0, 7, 0)
    assert await store.sessions.load(number) == replace(imported, user_id=777, updates=place)


async def test_first_file_brings_its_place(store: Store, created: Created) -> None:
    """Where nothing was reached yet, the number goes on from where the file's program was."""
    number, epoch = created.number.number, created.number.epoch
    place = UpdateState(9, 1, 1, 1)
    imported = replace(SESSION, user_id=None, updates=place)

    await store.sessions.save(number, epoch, imported)

    assert await store.sessions.load(number) == imported


async def test_new_account_of_the_phone_starts_afresh(store: Store, created: Created) -> None:
    """A login that proves to be of a later account of the same phone has nothing of the earlier."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    imported = replace(SESSION, user_id=None, auth_key=os.urandom(256), updates=None)
    await store.sessions.save(number, epoch, imported)
    await store.entities.save(number, epoch, [Entity(1, 2)])

    await store.sessions.save(number, epoch, replace(imported, user_id=778))

    assert await store.sessions.load(number) == replace(imported, user_id=778)
    assert await store.entities.list(number) == ()


async def test_another_accounts_login_is_dropped(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """Its key is free for the right number; place and chats of the number's own account stay."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    journal = await store.journals.open(number)
    part = Part(text="hello", random_ids=(1,))
    await journal.accept(Outgoing(peer_id=2, planfix_id="1", parts=(part,)), is_new_chat=True)
    await store.entities.save(number, epoch, [Entity(2, 5, "anna")])
    foreign = Session(2, "149.154.167.50", 443, os.urandom(256), None, UpdateState(9, 1, 1, 1))
    await store.sessions.save(number, epoch, foreign)
    await store.entities.save(number, epoch, [Entity(3, 1, "somebody_elses")])
    right = (await store.numbers.create(replace(acme, number="79007654321"))).number

    await store.sessions.drop_foreign(number, epoch)

    assert await store.sessions.load(number) is None
    assert not await store.sessions.is_held_by_another(right.number, foreign.auth_key)
    assert await store.entities.list(number) == (Entity(2, NO_HASH, "anna"),)
    assert (await store.numbers.get(number)).login is Login.NEEDED
    own = replace(SESSION, auth_key=os.urandom(256), updates=None)
    await store.sessions.save(number, epoch, own)
    assert await store.sessions.load(number) == replace(own, updates=UpdateState(5, 0, 7, 0))


async def test_imported_login_goes_on_until_it_is_known(store: Store, created: Created) -> None:
    """A session text names no account: the place stays, to be given up if it proves another's."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    imported = replace(SESSION, user_id=None, auth_key=os.urandom(256), updates=None)

    await store.sessions.save(number, epoch, imported)

    place = UpdateState(5, 0, 7, 0)
    assert await store.sessions.load(number) == replace(imported, user_id=777, updates=place)


async def test_dropped_session_is_gone(store: Store, created: Created) -> None:
    """An ended login can't be loaded again; the peers stay, being the account's."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.entities.save(number, epoch, [Entity(1, 2)])

    await store.sessions.drop(number, epoch)

    assert await store.sessions.load(number) is None
    assert (await store.numbers.get(number)).login is Login.NEEDED
    assert await store.entities.list(number) == (Entity(1, 2),)


async def test_key_is_not_stored_in_clear(store: Store, created: Created) -> None:
    """The database holds neither the session key nor its repr."""
    await store.sessions.save(created.number.number, created.number.epoch, SESSION)

    [[sealed]] = await store.database.fetch(text("SELECT auth_key FROM session"))

    assert SESSION.auth_key not in bytes(sealed)
    assert repr(SESSION.auth_key) not in repr(SESSION)


async def test_key_moved_to_another_number_is_rejected(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """A sealed key copied into another number's row opens for nobody."""
    other = (await store.numbers.create(replace(acme, number="79007654321"))).number
    for number in (created.number, other):
        await store.sessions.save(number.number, number.epoch, SESSION)

    def steal(connection: Connection) -> None:
        connection.execute(
            text("UPDATE session SET auth_key = (SELECT auth_key FROM session WHERE number = :a)"),
            {"a": created.number.number},
        )
        connection.execute(
            text("UPDATE number SET data_key = (SELECT data_key FROM number WHERE digits = :a)"),
            {"a": created.number.number},
        )

    await store.database.write(steal)

    with pytest.raises(SealBroken):
        await store.sessions.load(other.number)


async def test_entities_are_added_or_overwritten(store: Store, created: Created) -> None:
    """The newest word on a peer stays; thousands come at once."""
    number, epoch = created.number.number, created.number.epoch
    many = [Entity(peer, -peer, f"user{peer}", None, "Ім'я") for peer in range(1, 3001)]
    await store.entities.save(number, epoch, many)

    await store.entities.save(
        number, epoch, [Entity(2, 5), Entity(2, 1 << 62, "new", "7900", "Name"), Entity(-100, 9)]
    )

    stored = {entity.peer_id: entity for entity in await store.entities.list(number)}
    assert len(stored) == 3001
    assert stored[1] == many[0]
    assert stored[2] == Entity(2, 1 << 62, "new", "7900", "Name")


async def test_most_needed_entities_come_first(store: Store, created: Created) -> None:
    """Who fits into a start of the worker: whoever there is a chat with, then the latest heard of."""
    number, epoch = created.number.number, created.number.epoch
    await store.entities.save(number, epoch, [Entity(peer, 1) for peer in (1, 2, 9, 10)])
    epoch = await store.runs.take_epoch(number, epoch)
    await store.entities.save(number, epoch, [Entity(5, 1)])
    journal = await store.journals.open(number)
    part = Part(text="hello", random_ids=(1,))
    await journal.accept(Outgoing(peer_id=2, planfix_id="1", parts=(part,)), is_new_chat=True)

    assert [each.peer_id for each in await store.entities.list(number)] == [2, 5, 10, 9, 1]
    assert [each.peer_id for each in await store.entities.list(number, 2)] == [2, 5]


async def test_saving_no_entities_is_no_error(store: Store, created: Created) -> None:
    """An empty list of peers changes nothing."""
    await store.entities.save(created.number.number, created.number.epoch, [])

    assert await store.entities.list(created.number.number) == ()


async def test_login_given_to_two_numbers_at_once_is_taken_once(
    store: Store, database_url: str, secret_key: str, created: Created, acme: NewNumber
) -> None:
    """Of two nodes, or of two calls, the later is refused, and its number is not registered."""
    number, login = created.number.number, replace(SESSION, auth_key=os.urandom(256))
    second = store.numbers.create(replace(acme, number=OTHER, login=login))
    if store.database.url.get_backend_name() == "sqlite":  # which has one writer at a time
        await store.numbers.change(number, Changes(login=login))
        later = await outcome_of(second)
    else:
        vault, engine = Vault.from_secret_key(secret_key), create_async_engine(store.database.url)
        async with engine.connect() as node, asyncio.TaskGroup() as others:
            await node.run_sync(lambda each: import_of(each, vault, number, login))
            waiting = others.create_task(outcome_of(second))
            await eventually(partial(waits_for_its_turn, database_url))
            await node.commit()
        await engine.dispose()
        later = waiting.result()

    assert isinstance(later, SessionInUse)
    with pytest.raises(NumberUnknown):
        await store.numbers.get(OTHER)


def import_of(connection: Connection, vault: Vault, number: str, login: Session) -> None:
    import_login(connection, vault, require(connection, number), login)


async def outcome_of(creation: Coroutine[None, None, Created]) -> Created | GatewayError:
    try:
        return await creation
    except GatewayError as exc:
        return exc


async def waits_for_its_turn(database_url: str) -> bool:
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND objid = 61895"
    return bool(await execute(database_url, waiting))


@pytest.mark.parametrize("mark", ["NULL", "'an old one'"], ids=["none", "of an earlier key"])
async def test_login_stored_by_an_older_version_is_recognized(
    mark: str, store: Store, created: Created, acme: NewNumber, database_url: str
) -> None:
    """A row that is not marked, or whose key changed without the mark, still holds its login."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await execute(database_url, f"UPDATE session SET key_mark = {mark}")

    with pytest.raises(SessionInUse):
        await store.numbers.create(replace(acme, number=OTHER, login=SESSION))


async def test_refused_login_changes_nothing(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """A change with a login that another number has is not made in part."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.numbers.create(replace(acme, number=OTHER))

    with pytest.raises(SessionInUse):
        await store.numbers.change(OTHER, Changes(client="Other", login=SESSION))

    assert (await store.numbers.get(OTHER)).client == "Acme"
    assert await store.sessions.load(OTHER) is None


async def test_login_that_ended_is_free(store: Store, created: Created, acme: NewNumber) -> None:
    """A key that a number has lost or replaced can be given to another one."""
    number, epoch = created.number.number, created.number.epoch
    await store.sessions.save(number, epoch, SESSION)
    await store.sessions.save(number, epoch, replace(SESSION, auth_key=os.urandom(256)))
    other = (await store.numbers.create(replace(acme, number=OTHER, login=SESSION))).number
    await store.sessions.drop(OTHER, other.epoch)

    await store.numbers.change(number, Changes(login=SESSION))

    loaded = await store.sessions.load(number)
    assert loaded is not None
    assert loaded.auth_key == SESSION.auth_key
