"""Login links in the store, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import NumberUnknown
from supervisor.store.values import LoginLink

if TYPE_CHECKING:
    from supervisor.store.store import Store
    from supervisor.store.values import Created

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


async def test_newest_link_counts(store: Store, created: Created) -> None:
    """Each number has one link; a new one ends the last, used or not."""
    number = created.number.number
    await store.login_links.save(number, b"first", SOON)
    await store.login_links.use(number)

    await store.login_links.save(number, b"second", SOON)

    assert await store.login_links.find(b"first") is None
    assert await store.login_links.find(b"second") == LoginLink(number, SOON, is_used=False)


async def test_used_link_is_known_as_such(store: Store, created: Created) -> None:
    """Who comes back to it learns that it has done its work."""
    number = created.number.number
    await store.login_links.save(number, b"hash", SOON)

    await store.login_links.use(number)

    assert await store.login_links.find(b"hash") == LoginLink(number, SOON, is_used=True)


async def test_link_goes_with_its_number(store: Store, created: Created) -> None:
    """A purged number leaves no link; an unknown one gets none; using none is no error."""
    number = created.number.number
    await store.login_links.save(number, b"hash", SOON)

    await store.numbers.purge(number)

    assert await store.login_links.find(b"hash") is None
    await store.login_links.use(number)
    with pytest.raises(NumberUnknown):
        await store.login_links.save(number, b"hash", SOON)
