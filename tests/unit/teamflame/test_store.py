"""What TeamFlame's part stores, on both kinds of database."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from supervisor.database.transactions import upsert
from supervisor.store.store import Store
from teamflame.service.values import Access, Person
from teamflame.store import tables
from teamflame.store.accounts import AccountStore
from teamflame.store.choices import ALL_KINDS, Choices, Kind, Selection, Subscription
from teamflame.store.own_actions import LIFETIME, Change, OwnActions

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ANNA = Person("a" * 24, "Anna", "anna@example.com")
BIG_ID = 6_000_000_001


def access(token: str = "access-token", person: Person = ANNA) -> Access:
    return Access(token, NOW + timedelta(days=3), "refresh-token", person)


def key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


async def test_tokens_are_sealed(database_url: str) -> None:
    """Tokens come back as they were stored, and lie in the database unreadable."""
    async with Store(database_url, key()) as store:
        accounts = AccountStore(store.database, store.vault)
        await accounts.save(access())
        row = (await store.database.fetch(select(tables.account)))[0]

        assert await accounts.access_of(ANNA.id) == access()
        assert b"token" not in row.access + row.refresh


async def test_links_of_people(database_url: str) -> None:
    """Ids beyond 32 bits are stored; an account is forgotten with the last person who used it."""
    async with Store(database_url, key()) as store:
        accounts = AccountStore(store.database, store.vault)
        await accounts.save(access())
        for user_id in (BIG_ID, BIG_ID + 1):
            await accounts.link(user_id, ANNA.id, "uk", NOW)

        found = await accounts.of_user(BIG_ID)
        assert found is not None
        assert found.email == ANNA.email
        assert await accounts.languages_of((BIG_ID,)) == {BIG_ID: "uk"}
        await accounts.unlink(BIG_ID)
        assert await accounts.of_user(BIG_ID) is None
        assert await accounts.of_user(BIG_ID + 1) is not None
        await accounts.unlink(BIG_ID + 1)
        assert await accounts.get(ANNA.id) is None


async def test_lost_account_is_told_once(database_url: str) -> None:
    """Whom to tell that the tokens are useless is answered once, until somebody signs in again."""
    async with Store(database_url, key()) as store:
        accounts = AccountStore(store.database, store.vault)
        await accounts.save(access())
        await accounts.link(BIG_ID, ANNA.id, "en", NOW)

        assert await accounts.require_sign_in(ANNA.id) == (BIG_ID,)
        assert await accounts.require_sign_in(ANNA.id) == ()
        await accounts.save(access("another"))
        assert await accounts.require_sign_in(ANNA.id) == (BIG_ID,)


async def test_changed_secret_key(sqlite_url: str) -> None:
    """Tokens are moved to the first key of SECRET_KEY, after which the old key may go."""
    old, new = key(), key()
    async with Store(sqlite_url, old) as store:
        await AccountStore(store.database, store.vault).save(access())
    async with Store(sqlite_url, f"{new},{old}") as store:
        await AccountStore(store.database, store.vault).rewrap()
        await store.keys.finish()

    async with Store(sqlite_url, new) as store:
        accounts = AccountStore(store.database, store.vault)
        assert await accounts.access_of(ANNA.id) == access()


async def test_damaged_key_of_one_account_keeps_no_other_back(sqlite_url: str) -> None:
    """When SECRET_KEY changes, the keys of all accounts that can be opened move to its first key."""
    old, new, boris = key(), key(), Person("b" * 24, "Boris")
    damaged = update(tables.account).where(tables.account.c.id == boris.id)
    damaged = damaged.values(data_key=b"k" * 80)
    async with Store(sqlite_url, old) as store:
        accounts = AccountStore(store.database, store.vault)
        for person in (boris, ANNA):
            await accounts.save(access(person=person))
        await store.database.write(lambda connection: connection.execute(damaged).close())
    async with Store(sqlite_url, f"{new},{old}") as store:
        await AccountStore(store.database, store.vault).rewrap()
        await store.keys.finish()

    async with Store(sqlite_url, new) as store:
        assert await AccountStore(store.database, store.vault).access_of(ANNA.id) == access()


async def test_choices(database_url: str) -> None:
    """The newest choice counts; choosing again changes nothing of what one wants to hear."""
    async with Store(database_url, key()) as store:
        choices = Choices(store.database)
        first, second = Selection("s", "p", "b1"), Selection("s", "p", "b2")
        await choices.select(BIG_ID, first)
        await choices.subscribe(Subscription(BIG_ID, "b1", frozenset({Kind.MOVED})))
        await choices.select(BIG_ID, second)
        await choices.select(BIG_ID, first)

        assert await choices.selection_of(BIG_ID) == first
        assert await choices.kinds_of(BIG_ID, "b1") == {Kind.MOVED}
        assert await choices.kinds_of(BIG_ID, "b2") == ALL_KINDS
        assert {each.board_id for each in await choices.subscriptions()} == {"b1", "b2"}


async def test_own_actions_outlive_the_process(database_url: str) -> None:
    """Another process knows who made a change last, until it has been noticed, refused or forgotten."""
    moved, assigned = Change("t1", Kind.MOVED, "done"), Change("t1", Kind.ASSIGNED, ANNA.id)
    boris = Person("b" * 24, "Boris", "boris@example.com")
    async with Store(database_url, key()) as store:
        accounts, ours = AccountStore(store.database, store.vault), OwnActions(store.database)
        for person, user_id in ((ANNA, BIG_ID), (boris, BIG_ID + 1)):
            await accounts.save(access(person=person))
            await accounts.link(user_id, person.id, "en", NOW)
        await ours.add(ANNA.id, [moved, assigned])
        await ours.add(boris.id, [moved])
        later = OwnActions(store.database)

        asked = {moved, assigned, Change("t1", Kind.MOVED, "to do")}
        names = {change: who.name for change, who in (await later.actors_of(asked)).items()}
        assert names == {moved: "Boris", assigned: "Anna"}
        await later.remove(boris.id, [moved])
        assert {who.name for who in (await later.actors_of([moved])).values()} == {"Anna"}
        await later.forget([moved])
        assert await later.actors_of([moved]) == {}
        await accounts.unlink(BIG_ID)
        assert await store.database.fetch(select(tables.own_action)) == []


async def test_old_own_actions_are_erased(database_url: str) -> None:
    """What nobody has noticed for an hour explains nothing any more, and does not stay."""
    old = {"task_id": "t1", "kind": "moved", "about": "done", "account": ANNA.id}
    async with Store(database_url, key()) as store:
        made = datetime.now(UTC) - LIFETIME - timedelta(seconds=1)
        await store.database.write(
            lambda each: upsert(each, tables.own_action, [{**old, "made": made}])
        )
        ours = OwnActions(store.database)
        await AccountStore(store.database, store.vault).save(access())

        assert await ours.actors_of([Change("t1", Kind.MOVED, "done")]) == {}
        await ours.add(ANNA.id, [Change("t2", Kind.CREATED)])
        assert len(await store.database.fetch(select(tables.own_action))) == 1
