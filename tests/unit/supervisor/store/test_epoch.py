"""The epoch guard: what is written in the name of an old start is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.errors import NumberUnknown, StaleEpoch
from supervisor.store.store import Store
from supervisor.store.values import Entity, LastError, NewNumber, Session, UpdateState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from supervisor.store.values import Created

SESSION = Session(2, "149.154.167.50", 443, b"k" * 256)
WRITES: dict[str, Callable[[Store, str, int], Awaitable[object]]] = {
    "session": lambda store, number, epoch: store.sessions.save(number, epoch, SESSION),
    "drop": lambda store, number, epoch: store.sessions.drop(number, epoch),
    "entities": lambda store, number, epoch: store.entities.save(number, epoch, [Entity(1, 2)]),
    "park": lambda store, number, epoch: store.runs.park(number, epoch, "why"),
    "restart": lambda store, number, epoch: store.runs.count_restart(number, epoch),
    "error": lambda store, number, epoch: store.runs.set_last_error(
        number, epoch, LastError("a", "b", "c")
    ),
    "epoch": lambda store, number, epoch: store.runs.take_epoch(number, epoch),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> Callable[[Store, str, int], Awaitable[object]]:
    return WRITES[request.param]


async def test_old_epoch_writes_nothing(
    store: Store, created: Created, write: Callable[[Store, str, int], Awaitable[object]]
) -> None:
    """A straggler is refused, the state being what the newer start has made it."""
    number, old = created.number.number, created.number.epoch
    await store.runs.take_epoch(number, old)
    before = await everything(store, number)

    with pytest.raises(StaleEpoch):
        await write(store, number, old)

    assert await everything(store, number) == before


async def test_current_epoch_writes(
    store: Store, created: Created, write: Callable[[Store, str, int], Awaitable[object]]
) -> None:
    """The newest start may write."""
    number = created.number.number
    epoch = await store.runs.take_epoch(number, created.number.epoch)
    before = await everything(store, number)

    await write(store, number, epoch)

    assert await everything(store, number) != before


async def test_purged_number_is_unknown_to_its_worker(
    store: Store, created: Created, write: Callable[[Store, str, int], Awaitable[object]]
) -> None:
    """A worker that outlives its number's purge leaves nothing behind."""
    number, epoch = created.number.number, created.number.epoch
    await store.numbers.purge(number)

    with pytest.raises(NumberUnknown):
        await write(store, number, epoch)


async def test_old_epoch_moves_no_updates(store: Store, created: Created) -> None:
    """The update state follows the newest start only, within one commit too."""
    number, old = created.number.number, created.number.epoch
    await store.sessions.save(number, old, SESSION)
    new = await store.runs.take_epoch(number, old)

    moved = await asyncio.gather(
        store.sessions.move_updates(number, new, UpdateState(10, 0, 1, 0)),
        store.sessions.move_updates(number, old, UpdateState(99, 0, 1, 0)),
        store.sessions.move_updates("70000000000", new, UpdateState(99, 0, 1, 0)),
    )

    session = await store.sessions.load(number)
    assert list(moved) == [True, False, False]
    assert session is not None
    assert session.updates == UpdateState(10, 0, 1, 0)


async def test_one_of_many_takes_the_epoch(store: Store, created: Created) -> None:
    """Of starts that saw the same epoch one begins, the others must not."""
    number, seen = created.number.number, created.number.epoch

    outcomes = await asyncio.gather(
        *(store.runs.take_epoch(number, seen) for _ in range(8)), return_exceptions=True
    )

    assert sum(isinstance(outcome, StaleEpoch) for outcome in outcomes) == 7
    assert (await store.numbers.get(number)).epoch == seen + 1


async def test_two_gateways_never_share_an_epoch(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """Two processes' writers on one database race for each epoch: one wins it."""
    async with Store(database_url, secret_key) as one, Store(database_url, secret_key) as two:
        number = (await one.numbers.create(acme)).number.number

        for _ in range(20):
            seen = (await one.numbers.get(number)).epoch
            outcomes = await asyncio.gather(
                one.runs.take_epoch(number, seen),
                two.runs.take_epoch(number, seen),
                return_exceptions=True,
            )

            assert sorted(map(type, outcomes), key=str) == [int, StaleEpoch]


async def test_stragglers_lose_every_race(
    database_url: str, secret_key: str, acme: NewNumber
) -> None:
    """While epochs are taken on one connection, no write of an older one lands by another."""
    async with Store(database_url, secret_key) as new, Store(database_url, secret_key) as old:
        number = (await new.numbers.create(acme)).number.number
        epoch = (await new.numbers.get(number)).epoch
        await new.sessions.save(number, epoch, SESSION)

        for pts in range(1, 30):
            taken, _ = await asyncio.gather(
                new.runs.take_epoch(number, epoch),
                old.sessions.move_updates(number, epoch, UpdateState(1000 + pts, 0, 1, 0)),
            )
            await new.sessions.move_updates(number, taken, UpdateState(pts, 0, 1, 0))
            late = await old.sessions.move_updates(number, epoch, UpdateState(2000, 0, 1, 0))

            session = await new.sessions.load(number)
            assert late is False
            assert session is not None
            assert session.updates == UpdateState(pts, 0, 1, 0)
            epoch = taken


@settings(max_examples=15)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12))
async def test_only_the_newest_of_any_history_writes(
    store: Store, steps: list[tuple[bool, int]]
) -> None:
    """Whatever the order of starts or writes, the state is the newest start's last word."""
    new = NewNumber("79001112233", "C", "https://c.example", "t")
    number = (await store.numbers.create(new)).number
    await store.sessions.save(number.number, number.epoch, SESSION)
    epochs, last = [number.epoch], None

    for place, (start, age) in enumerate(steps):
        if start:
            epochs.append(await store.runs.take_epoch(number.number, epochs[-1]))
        epoch = epochs[-1 - min(age, len(epochs) - 1)]
        moved = await store.sessions.move_updates(number.number, epoch, UpdateState(place, 0, 0, 0))
        assert moved == (epoch == epochs[-1])
        last = UpdateState(place, 0, 0, 0) if moved else last

    session = await store.sessions.load(number.number)
    await store.numbers.purge(number.number)
    assert session is not None
    assert session.updates == last


async def everything(store: Store, number: str) -> tuple[object, ...]:
    return (
        await store.numbers.get(number),
        await store.sessions.load(number),
        await store.entities.list(number),
    )
