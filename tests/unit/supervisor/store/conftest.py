"""A store on each kind of database, with numbers to fill it."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest

from supervisor.store.store import Store
from supervisor.store.values import NewNumber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.store.values import Created


def make_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@pytest.fixture
def secret_key() -> str:
    return make_key()


@pytest.fixture
async def store(database_url: str, secret_key: str) -> AsyncIterator[Store]:
    async with Store(database_url, secret_key) as opened:
        yield opened


@pytest.fixture
def acme() -> NewNumber:
    return NewNumber(
        number="79001234567",
        client="Acme",
        url_planfix="https://acme.planfix.com/webchat/api",
        token_planfix="planfix-secret",
        user_email="boss@acme.example",
    )


@pytest.fixture
async def created(store: Store, acme: NewNumber) -> Created:
    return await store.numbers.create(acme)
