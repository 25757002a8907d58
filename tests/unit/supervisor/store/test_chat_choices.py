"""Which chats of a number go to Planfix, in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from session_worker.protocol.chats import ChatSelection, Mode
from supervisor.database.number_tables import chat_choice
from supervisor.store.values import Changes, ChatChanges, ChatChoice

if TYPE_CHECKING:
    from supervisor.store.store import Store
    from supervisor.store.values import NewNumber

FAMILY = ChatSelection(mode=Mode.EXCEPT, people=("grandmother-secret",), contacts=True)
WORK = ChatSelection(mode=Mode.ONLY, folders=("Work",))
DAY = date(2026, 1, 31)


async def test_selection_is_kept_sealed(store: Store, acme: NewNumber) -> None:
    """It comes back as it was given; nobody who reads the row learns who is private."""
    await store.numbers.create(replace(acme, chats=ChatChanges(FAMILY, DAY)))

    [row] = await store.database.fetch(select(chat_choice))
    assert await store.chat_choices.get(acme.number) == ChatChoice(FAMILY, DAY)
    assert b"grandmother" not in row.selection


async def test_selection_is_changed_only_when_asked(store: Store, acme: NewNumber) -> None:
    """A change of something else keeps it; each of its two parts can be changed alone."""
    await store.numbers.create(acme)
    seen = [await store.chat_choices.get(acme.number)]

    for chats in (
        ChatChanges(FAMILY, DAY),
        ChatChanges(),
        ChatChanges(WORK),
        ChatChanges(without_history=True),
    ):
        await store.numbers.change(acme.number, Changes(chats=chats))
        seen.append(await store.chat_choices.get(acme.number))

    chosen = [ChatChoice(FAMILY, DAY)] * 2 + [ChatChoice(WORK, DAY), ChatChoice(WORK)]
    assert seen == [ChatChoice(), *chosen]


async def test_new_registration_brings_its_own_selection(store: Store, acme: NewNumber) -> None:
    """A stopped number that is registered again begins with what the new registration says."""
    await store.numbers.create(replace(acme, chats=ChatChanges(FAMILY, DAY)))
    await store.numbers.stop(acme.number)

    await store.numbers.create(acme)

    assert await store.chat_choices.get(acme.number) == ChatChoice()


async def test_purge_erases_the_selection(store: Store, acme: NewNumber) -> None:
    """Nothing is left of it once the number is gone."""
    await store.numbers.create(replace(acme, chats=ChatChanges(FAMILY, DAY)))

    await store.numbers.purge(acme.number)

    assert await store.database.fetch(select(chat_choice)) == []
