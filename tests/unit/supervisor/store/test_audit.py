"""The audit log, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.store.store import Store


async def test_entries_come_newest_first(store: Store) -> None:
    """The log is read backwards, page by page."""
    for place in range(5):
        await store.audit.append("admin", f"act {place}", "79001234567", "detail")

    first = await store.audit.list(limit=2)
    rest = await store.audit.list(before=first[-1].id)

    assert [entry.action for entry in first + rest] == [f"act {n}" for n in (4, 3, 2, 1, 0)]
    assert (first[0].who, first[0].number, first[0].detail) == ("admin", "79001234567", "detail")
    assert first[0].at.utcoffset() is not None


async def test_page_may_begin_anywhere(store: Store) -> None:
    """A page that begins above every id that an entry can have is the newest one."""
    await store.audit.append("admin", "rotate")

    assert [entry.action for entry in await store.audit.list(before=2**53)] == ["rotate"]


async def test_entries_of_one_number(store: Store) -> None:
    """The log is read for one number, or for all with what concerns none."""
    await store.audit.append("admin", "rotate")
    await store.audit.append("token", "stop", "79001234567")

    [entry] = await store.audit.list(number="79001234567")

    assert entry.action == "stop"
    assert len(await store.audit.list()) == 2
