"""The numbers in the store, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.messages import ChatMemory, ChatRemembered, Contact
from supervisor.database.tables import Login, Wanted
from supervisor.errors import NumberExists, NumberOfOtherClient, NumberUnknown
from supervisor.journal.worker_report import report_of
from supervisor.store.store import Store
from supervisor.store.values import Changes, Entity, LastError, Session

if TYPE_CHECKING:
    from supervisor.journal.journal import Journal
    from supervisor.store.values import Created, NewNumber


NOTHING_TOLD = ChatMemory(peer_id=1)
TOLD = ChatMemory(peer_id=1, task=17, contact=Contact(peer_id=1, first_name="Taras"))


async def test_created_number_is_read_back(store: Store, acme: NewNumber) -> None:
    """What was registered is what is stored, the number being wanted at once."""
    created = await store.numbers.create(acme)

    number = await store.numbers.get(acme.number)

    assert number == created.number
    assert (number.client, number.url_planfix) == (acme.client, acme.url_planfix)
    assert (number.provider_id, number.user_email) == ("telegram", acme.user_email)
    assert (number.wanted, number.login, number.parked) == (Wanted.RUNNING, Login.NEEDED, None)
    assert number.created.utcoffset() is not None


async def test_secrets_are_not_shown(store: Store, acme: NewNumber) -> None:
    """Neither token appears where a value is printed."""
    created = await store.numbers.create(acme)

    shown = repr(acme) + repr(created) + repr(await store.numbers.get(acme.number))

    assert created.token not in shown
    assert acme.token_planfix not in shown


async def test_planfix_token_is_opened(store: Store, created: Created, acme: NewNumber) -> None:
    """The Planfix token comes back as it was given."""
    assert (await store.numbers.secrets(created.number.number)).token_planfix == acme.token_planfix


async def test_number_that_runs_is_refused(store: Store, created: Created, acme: NewNumber) -> None:
    """Registering a number that runs changes nothing, its token included."""
    with pytest.raises(NumberExists):
        await store.numbers.create(replace(acme, url_planfix="https://other.example"))

    assert await store.numbers.get(acme.number) == created.number
    assert await store.numbers.get_with_token(acme.number, created.token)


@pytest.mark.parametrize(
    ("changes", "forgets"),
    [
        (Changes(url_planfix="https://other.planfix.com/webchat/api"), True),
        (Changes(provider_id="another"), True),
        (Changes(url_planfix="https://acme.planfix.com/webchat/api"), False),
        (Changes(token_planfix="another key", user_email="new@acme.example"), False),
    ],
)
async def test_another_planfix_has_been_told_nothing(
    store: Store, created: Created, changes: Changes, forgets: bool
) -> None:
    """What one Planfix knows of a chat, its task above all, does not count for another one."""
    journal = await _journal_with_memory(store, created)

    await store.numbers.change(created.number.number, changes)

    assert await journal.memories([1]) == {1: NOTHING_TOLD if forgets else TOLD}


async def test_another_planfix_of_a_stopped_number_has_been_told_nothing(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """The same holds for a number that is registered again."""
    journal = await _journal_with_memory(store, created)
    await store.numbers.stop(acme.number)

    await store.numbers.create(replace(acme, url_planfix="https://other.planfix.com/webchat/api"))

    assert await journal.memories([1]) == {1: NOTHING_TOLD}


async def _journal_with_memory(store: Store, created: Created) -> Journal:
    number = created.number
    journal = await store.journals.open(number.number)
    await journal.record(number.epoch, report_of([ChatRemembered(chat=TOLD)]), ())
    return journal


async def test_two_registrations_at_once_make_one_number(store: Store, acme: NewNumber) -> None:
    """Of registrations that come together one wins, the others are told."""
    outcomes = await asyncio.gather(
        *(store.numbers.create(acme) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, NumberExists) for outcome in outcomes) == 4
    assert len(await store.numbers.list()) == 1


async def test_stopped_number_gets_a_new_token(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """Registering a stopped number again kills its old token, keeps its epoch."""
    await store.numbers.stop(acme.number)

    again = await store.numbers.create(replace(acme, token_planfix="new"))

    assert await store.numbers.get_with_token(acme.number, created.token) is None
    assert await store.numbers.find_by_token(created.token) is None
    assert await store.numbers.get_with_token(acme.number, again.token) == again.number
    assert (again.number.wanted, again.number.epoch) == (Wanted.RUNNING, created.number.epoch)
    assert (await store.numbers.secrets(acme.number)).token_planfix == "new"


async def test_stopped_number_is_not_given_to_another_client(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """A number moves to another client only after a purge."""
    await store.numbers.stop(acme.number)

    with pytest.raises(NumberOfOtherClient):
        await store.numbers.create(replace(acme, client="Rival"))

    await store.numbers.purge(acme.number)
    taken = await store.numbers.create(replace(acme, client="Rival"))
    assert taken.number.client == "Rival"


async def test_token_finds_its_number_only(store: Store, created: Created, acme: NewNumber) -> None:
    """A token opens its own number; any other number is as good as unknown."""
    other = await store.numbers.create(replace(acme, number="79007654321"))
    numbers = store.numbers

    assert await numbers.get_with_token(acme.number, created.token) == created.number
    assert await numbers.find_by_token(other.token) == other.number
    assert await numbers.get_with_token(acme.number, other.token) is None
    assert await numbers.get_with_token("70000000000", created.token) is None
    assert await numbers.find_by_token("guess") is None


@pytest.mark.parametrize(
    ("differs", "shared"),
    [
        ({}, True),
        ({"client": "Rival"}, False),
        ({"url_planfix": "https://rival.planfix.ua/webchat/api"}, False),
    ],
    ids=str,
)
async def test_integration_is_shared_within_one_client_in_one_planfix(
    store: Store, created: Created, acme: NewNumber, differs: dict[str, Any], shared: bool
) -> None:
    """Numbers are channels of one integration if both the client and the Planfix are the same."""
    other = "79007654321"
    await store.numbers.create(replace(acme, number=other, **differs))
    numbers = store.numbers

    assert await numbers.share_planfix(acme.number, other) is shared
    assert await numbers.share_planfix(other, acme.number) is shared
    assert not await numbers.share_planfix(acme.number, "70000000000")
    await numbers.change(other, Changes(url_planfix="https://elsewhere.example"))
    assert not await numbers.share_planfix(acme.number, other)


async def test_change_leaves_the_rest(store: Store, created: Created, acme: NewNumber) -> None:
    """Fields left out stay, fields given change."""
    changes = Changes(url_planfix="https://new.example", token_planfix="newer", client="Acme 2")

    number = await store.numbers.change(acme.number, changes)

    assert (number.url_planfix, number.client) == ("https://new.example", "Acme 2")
    assert (number.user_email, number.provider_id) == (acme.user_email, "telegram")
    assert number.changed >= created.number.changed
    assert (await store.numbers.secrets(acme.number)).token_planfix == "newer"
    assert await store.numbers.get_with_token(acme.number, created.token) == number


async def test_empty_change_changes_nothing(store: Store, created: Created) -> None:
    """A change of no field is no error."""
    number = await store.numbers.change(created.number.number, Changes())

    assert replace(number, changed=created.number.changed) == created.number


async def test_stop_tells_whether_it_ran(store: Store, created: Created) -> None:
    """The second stop finds nothing to stop."""
    number = created.number.number

    assert await store.numbers.stop(number) is True
    assert await store.numbers.stop(number) is False
    assert (await store.numbers.get(number)).wanted is Wanted.STOPPED


async def test_start_wipes_the_slate(store: Store, created: Created) -> None:
    """A number that is started by hand is no longer parked, banned or failed."""
    number, epoch = created.number.number, created.number.epoch
    await store.runs.park(number, epoch, "crashed 5 times")
    await store.runs.count_restart(number, epoch)
    await store.runs.set_last_error(number, epoch, LastError("crash", "It fell.", "Look."))
    await store.sessions.drop(number, epoch, Login.BANNED)

    started = await store.numbers.start(number)

    assert (started.parked, started.restarts, started.last_error) == (None, 0, None)
    assert started.login is Login.NEEDED


async def test_list_is_filtered_by_client(store: Store, created: Created, acme: NewNumber) -> None:
    """The list holds all numbers, or those of one client."""
    rival = await store.numbers.create(replace(acme, number="380501112233", client="Rival"))

    assert await store.numbers.list() == (rival.number, created.number)
    assert await store.numbers.list("Rival") == (rival.number,)
    assert await store.numbers.list("Nobody") == ()


async def test_list_to_run_leaves_out_who_must_rest(store: Store, acme: NewNumber) -> None:
    """Stopped, parked or banned numbers are not started with the gateway."""
    runs, stopped, parked, banned = [
        (await store.numbers.create(replace(acme, number=f"7900000000{place}"))).number
        for place in range(4)
    ]
    await store.numbers.stop(stopped.number)
    await store.runs.park(parked.number, parked.epoch, "why")
    await store.sessions.drop(banned.number, banned.epoch, Login.BANNED)

    assert await store.numbers.list_to_run() == (runs,)


async def test_purge_erases_all_but_the_audit_log(
    store: Store, created: Created, acme: NewNumber
) -> None:
    """After a purge nothing of the number is left, its neighbour being untouched."""
    number, epoch = acme.number, created.number.epoch
    other = (await store.numbers.create(replace(acme, number="79007654321", client="B"))).number
    for who in (created.number, other):
        await store.sessions.save(who.number, who.epoch, Session(2, "1.2.3.4", 443, b"k" * 256))
        await store.entities.save(who.number, who.epoch, [Entity(1, 2)])
    await store.audit.append("admin", "purge", number)

    await store.numbers.purge(number)

    with pytest.raises(NumberUnknown):
        await store.numbers.get(number)
    assert await store.numbers.find_by_token(created.token) is None
    assert await store.sessions.load(number) is None
    assert await store.entities.list(number) == ()
    assert [entry.number for entry in await store.audit.list()] == [number]
    assert await store.sessions.load(other.number)
    assert await store.entities.list(other.number) == (Entity(1, 2),)
    assert (await store.numbers.create(acme)).number.epoch != epoch


async def test_unknown_number_is_told(store: Store) -> None:
    """Each verb on a number that is not there says so."""
    numbers = store.numbers

    for call in (numbers.get, numbers.start, numbers.stop, numbers.purge, numbers.secrets):
        with pytest.raises(NumberUnknown):
            await call("70000000000")
    with pytest.raises(NumberUnknown):
        await numbers.change("70000000000", Changes())


async def test_numbers_survive_a_restart(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """A new gateway finds the numbers, their tokens being as good as before."""
    async with Store(database_url, secret_key) as first:
        created = await first.numbers.create(acme)

    async with Store(database_url, secret_key) as second:
        assert await second.numbers.get_with_token(acme.number, created.token) == created.number
        assert (await second.numbers.secrets(acme.number)).token_planfix == acme.token_planfix
