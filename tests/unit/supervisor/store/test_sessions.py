"""Logins with their peers in the store, on both databases."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from session_worker.protocol.contract import NO_HASH
from session_worker.protocol.outgoing import Outgoing, Part
from supervisor.database.tables import Login
from supervisor.errors import SealBroken
from supervisor.store.values import Entity, Session, UpdateState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.store.store import Store
    from supervisor.store.values import Created, NewNumber

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
