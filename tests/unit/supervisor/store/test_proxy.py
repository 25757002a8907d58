"""A number's proxy in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from session_worker.protocol.proxy import parse_proxy
from supervisor.database import tables
from supervisor.store.values import Changes

if TYPE_CHECKING:
    from supervisor.store.store import Store
    from supervisor.store.values import NewNumber

PROXY = parse_proxy("socks5://olena:secret-word@proxy.example.com:1080", may_be_private=True)
OTHER = parse_proxy("mtproxy://dd" + "ab" * 16 + "@other.example.com:443", may_be_private=False)


async def test_proxy_is_kept_sealed(store: Store, acme: NewNumber) -> None:
    """It comes back as it was given; in the row stands only where it lies."""
    await store.numbers.create(replace(acme, proxy=PROXY))

    [row] = await store.database.fetch(select(tables.number))
    assert (await store.numbers.secrets(acme.number)).proxy == PROXY
    assert (await store.numbers.get(acme.number)).proxy_place == "socks5://proxy.example.com:1080"
    assert b"secret-word" not in row.proxy
    assert "secret-word" not in repr(row)


async def test_proxy_is_changed_or_removed_only_when_asked(store: Store, acme: NewNumber) -> None:
    """A change of something else keeps it; another takes its place; none is left if that is wanted."""
    await store.numbers.create(replace(acme, proxy=PROXY))
    seen = []

    for changes in (Changes(provider_id="x"), Changes(proxy=OTHER), Changes(without_proxy=True)):
        changed = await store.numbers.change(acme.number, changes)
        seen.append(((await store.numbers.secrets(acme.number)).proxy, changed.proxy_place))

    assert seen == [(PROXY, PROXY.place), (OTHER, OTHER.place), (None, None)]


async def test_new_registration_brings_its_own_proxy(store: Store, acme: NewNumber) -> None:
    """A stopped number that is registered again has the proxy of the new registration, or none."""
    await store.numbers.create(replace(acme, proxy=PROXY))
    await store.numbers.stop(acme.number)

    await store.numbers.create(acme)

    assert (await store.numbers.secrets(acme.number)).proxy is None
