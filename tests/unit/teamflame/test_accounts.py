"""Accounts are signed in to within limits, and their tokens are renewed whatever their callers do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supervisor.store.store import Store
from teamflame.accounts.accounts import MOST_GUESSES, Accounts
from teamflame.errors import CredentialsInvalid, Limited, Unavailable
from teamflame.service.auth import Auth
from teamflame.service.values import Access, Person
from teamflame.store.accounts import AccountStore
from tests.support.waiting import eventually
from tests.unit.teamflame.test_store import key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANNA = Person("a" * 24, "Anna", "anna@example.com")
OLD = Access("old", datetime.now(UTC) - timedelta(days=1), "refresh-1", ANNA)
NEW = replace(OLD, token="new", renew_at=datetime.now(UTC) + timedelta(days=1), refresh="refresh-2")


class SlowAuth(Auth):
    """Answers when it is allowed to; knows one password, and is away if it is told to be."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.is_away = False

    async def sign_in(self, email: str, password: str) -> Access:
        self.asked += 1
        await self.may_answer.wait()
        if self.is_away:
            raise Unavailable
        if password != "right":
            raise CredentialsInvalid
        return NEW

    async def renew(self, refresh: str) -> Access:
        self.asked += 1
        await self.may_answer.wait()
        return NEW


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[AccountStore]:
    async with Store(database_url, key()) as opened:
        yield AccountStore(opened.database, opened.vault)


async def test_many_guesses_at_once_are_no_more_than_one_by_one(store: AccountStore) -> None:
    """Passwords that are tried at the same moment count as those that are tried one after the other."""
    auth = SlowAuth()
    accounts = Accounts(store, auth)
    tries = [
        asyncio.create_task(accounts.sign_in("user 1", ANNA.email, "wrong")) for _ in range(50)
    ]
    await eventually(lambda: sum(each.done() for each in tries) == 50 - MOST_GUESSES)
    auth.may_answer.set()

    failures = [type(each) for each in await asyncio.gather(*tries, return_exceptions=True)]

    assert failures.count(CredentialsInvalid) == auth.asked == MOST_GUESSES
    assert failures.count(Limited) == 50 - MOST_GUESSES


async def test_only_wrong_passwords_count(store: AccountStore) -> None:
    """Neither a right password nor a TeamFlame that does not answer uses up a try."""
    auth = SlowAuth()
    auth.may_answer.set()
    accounts = Accounts(store, auth)
    for _ in range(2 * MOST_GUESSES):
        auth.is_away = not auth.is_away
        if auth.is_away:
            with pytest.raises(Unavailable):
                await accounts.sign_in("user 1", ANNA.email, "right")
        else:
            assert (await accounts.sign_in("user 1", ANNA.email, "right")).id == ANNA.id


async def _answer(token: str) -> str:
    return token


async def test_caller_who_hangs_up_loses_no_tokens(store: AccountStore) -> None:
    """TeamFlame takes the earlier tokens no more, so the new ones are stored whoever waits for them."""
    auth = SlowAuth()
    accounts = Accounts(store, auth)
    await store.save(OLD)
    calls = [asyncio.create_task(accounts.call(ANNA.id, _answer)) for _ in range(2)]
    await eventually(lambda: auth.asked)
    calls[0].cancel()
    await asyncio.wait({calls[0]})
    auth.may_answer.set()

    assert await calls[1] == "new"
    assert await store.access_of(ANNA.id) == NEW
    assert auth.asked == 1


async def test_renewal_ends_before_the_store_is_closed(store: AccountStore) -> None:
    """A gateway that stops waits for the tokens that TeamFlame is just renewing."""
    auth = SlowAuth()
    accounts = Accounts(store, auth)
    await store.save(OLD)
    call = asyncio.create_task(accounts.call(ANNA.id, _answer))
    await eventually(lambda: auth.asked)
    call.cancel()
    stopping = asyncio.create_task(accounts.stop())
    auth.may_answer.set()

    await stopping

    assert await store.access_of(ANNA.id) == NEW
