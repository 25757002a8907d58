"""Bots among the numbers, and the people who registered with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import NumberExists, NumberUnknown
from supervisor.store.bots import BotSecrets
from supervisor.store.people import Person
from supervisor.store.values import BotDetails, NewNumber

if TYPE_CHECKING:
    from supervisor.store.store import Store

BOT = "7000001"
TOKEN = f"{BOT}:AAsecret-of-the-bot"
NEW = NewNumber(
    BOT,
    "Acme",
    "",
    "",
    bot=BotDetails(TOKEN, "uk", "https://rest.example", "rest-key", "https://hook.example/code"),
)
ANNA = Person(7, "Anna B", "uk", "Anna", phone="380671234567", alias="ops")


async def test_bot_is_a_number_apart(store: Store, acme: NewNumber) -> None:
    """A bot has its own list, opens with its token of Telegram's, and gives its secrets back."""
    await store.numbers.create(acme)
    created = await store.numbers.create(NEW)
    await store.bots.save_username(BOT, "shop_bot")

    found = await store.bots.find_by_token(TOKEN)
    assert created.number.is_bot
    assert [each.number for each in await store.numbers.list()] == [acme.number]
    assert [each.number for each in await store.numbers.list(are_bots=True)] == [BOT]
    assert found is not None
    assert (found.bot, found.username, found.language) == (BOT, "shop_bot", "uk")
    assert await store.bots.secrets(BOT) == BotSecrets(
        TOKEN, "rest-key", "https://hook.example/code"
    )
    assert await store.bots.find_by_token("7000001:wrong") is None
    with pytest.raises(NumberUnknown):
        await store.bots.get(acme.number)


async def test_number_does_not_become_a_bot(store: Store, acme: NewNumber) -> None:
    """A stopped number is not replaced by a bot with the same digits, nor the other way round."""
    await store.numbers.create(acme)
    await store.numbers.stop(acme.number)

    with pytest.raises(NumberExists):
        await store.numbers.create(replace(NEW, number=acme.number))


async def test_bots_without_planfix_share_no_channel(store: Store) -> None:
    """The key of one bot opens no other bot of the client: they have no Planfix in common."""
    await store.numbers.create(NEW)
    other = replace(NEW, number="7000002", bot=BotDetails("7000002:AAother"))
    await store.numbers.create(other)

    assert not await store.numbers.share_planfix(BOT, "7000002")


async def test_secrets_do_not_show(store: Store) -> None:
    """Neither the values nor what the store hands out reveal the token when they are printed."""
    await store.numbers.create(NEW)

    shown = f"{NEW!r} {await store.bots.secrets(BOT)!r} {await store.bots.get(BOT)!r}"
    assert "AAsecret" not in shown
    assert "rest-key" not in shown


async def test_people_are_found_by_any_name(store: Store) -> None:
    """Telegram id, user name in any case, phone in any spelling: each finds the person."""
    await store.numbers.create(NEW)
    await store.people.save(BOT, ANNA)
    find = store.people.find

    assert await find(BOT, user_id=7) == ANNA
    assert await find(BOT, username="@anna") == ANNA
    assert await find(BOT, phone="+380 67 123-45-67") == ANNA

    assert await find(BOT, user_id=8, username="nobody", phone="1") is None
    assert await find("7000002", user_id=7) is None


async def test_person_is_changed_and_muted(store: Store) -> None:
    """A person who comes again is changed, not doubled; blocking mutes like /stop does."""
    await store.numbers.create(NEW)
    await store.people.save(BOT, ANNA)
    await store.people.save(BOT, replace(ANNA, language="en"))
    await store.people.block(BOT, 7, is_blocked=True)

    (person,) = await store.people.list(BOT)
    assert (person.language, person.muted, person.is_muted) == ("en", True, False)
    await store.people.block(BOT, 7, is_blocked=False)
    assert not (await store.people.list(BOT))[0].muted


async def test_muted_people_are_found_together(store: Store) -> None:
    """Of many people those are named who have stopped the bot or block it; strangers are not."""
    await store.numbers.create(NEW)
    for person in (ANNA, replace(ANNA, user_id=8, is_muted=True), replace(ANNA, user_id=9)):
        await store.people.save(BOT, person)
    await store.people.block(BOT, 9, is_blocked=True)

    assert await store.people.find_muted(BOT, {7, 8, 9, 10}) == {8, 9}
    assert await store.people.find_muted("7000002", {8}) == frozenset()


async def test_block_of_a_stranger_is_remembered_until_it_ends(store: Store) -> None:
    """Who never registered is muted by a block without being listed; a number remembers nobody."""
    await store.numbers.create(NEW)
    await store.people.block(BOT, 5, is_blocked=True)
    await store.people.block(BOT, 5, is_blocked=True)
    await store.people.block("7000002", 5, is_blocked=True)
    blocked = await store.people.get(BOT, 5)
    muted = await store.people.find_muted(BOT, {5})
    await store.people.block(BOT, 5, is_blocked=False)

    assert blocked is not None
    assert (blocked.language, blocked.muted, muted) == ("uk", True, frozenset({5}))
    assert await store.people.get(BOT, 5) is None
    assert await store.people.get("7000002", 5) is None
    await store.people.block(BOT, 5, is_blocked=True)
    assert await store.people.list(BOT) == ()
    await store.people.save(BOT, replace(ANNA, user_id=5))
    assert [person.user_id for person in await store.people.list(BOT)] == [5]
