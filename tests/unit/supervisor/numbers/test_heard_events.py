"""What a bot has heard reaches a listener: stored first, in order, even if somebody fails on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.bots import HeardMessage, Speaker
from supervisor.database.writer import Claim
from supervisor.errors import DatabaseUnavailable, StaleEpoch
from supervisor.numbers.worker_events import HeardEvents
from supervisor.store.heard import HeardRows
from supervisor.store.values import BotDetails, NewNumber
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.bots import HeardByBot
    from supervisor.store.heard import HeardRow
    from supervisor.store.store import Store

BOT = "7000001"


def wrote(text: str, message_id: int, person: int = 7) -> HeardMessage:
    speaker = Speaker(user_id=person)
    return HeardMessage(chat_id=person, message_id=message_id, date=0, speaker=speaker, text=text)


class Listener:
    """Remembers what it was told; fails as often as it is told to."""

    def __init__(self, failures: int = 0, *, takes: bool = True) -> None:
        self.heard: list[str] = []
        self.failures = failures
        self.takes = takes

    async def handle(self, row: HeardRow) -> bool:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("out of order")
        assert isinstance(row.what, HeardMessage)
        self.heard.append(row.what.text)
        return self.takes


async def claim(store: Store) -> Claim:
    """Register the bot, take an epoch as its worker's start does."""
    details = BotDetails("7000001:secret")
    await store.numbers.create(NewNumber(BOT, "Acme", "", "", bot=details))
    epoch = (await store.numbers.get(BOT)).epoch
    return Claim(BOT, await store.runs.take_epoch(BOT, epoch))


async def test_each_event_is_handed_over_once(store: Store) -> None:
    """A repeated report is the same event; the first listener that takes it keeps it."""
    asked_last, asked_first = Listener(), Listener(takes=False)
    events, worker = HeardEvents(store), await claim(store)
    events.listen(asked_last)
    events.listen(asked_first)

    await events.store(worker, [wrote("one", 1)])
    await events.store(worker, [wrote("one", 1), wrote("two", 2)])
    await eventually(lambda: asked_last.heard == ["one", "two"])

    assert asked_first.heard == ["one", "two"]
    await events.stop()


async def test_failing_listener_is_asked_again(store: Store) -> None:
    """An event waits for its listener, and the events of the same person wait behind it."""
    listener = Listener(failures=2)
    events, worker = HeardEvents(store, pauses=(0.01, 0.01)), await claim(store)
    events.listen(listener)

    await events.store(worker, [wrote("one", 1), wrote("two", 2)])

    await eventually(lambda: listener.heard == ["one", "two"])
    await events.stop()


async def test_hopeless_event_stops_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody can deal with is given up after some tries, and logged."""
    listener = Listener(failures=2)
    events, worker = HeardEvents(store, pauses=(0.01,)), await claim(store)
    events.listen(listener)

    await events.store(worker, [wrote("one", 1), wrote("two", 2)])

    await eventually(lambda: listener.heard == ["two"])
    assert "could not be dealt with" in caplog.text
    await events.stop()


async def test_what_was_left_is_handed_over_later(store: Store) -> None:
    """After a crash of the gateway the next one hands over what nobody has dealt with."""
    await store.heard.add(await claim(store), [wrote("one", 1)])
    listener, events = Listener(), HeardEvents(store)
    events.listen(listener)

    events.resume(await events.find_left(BOT))
    events.resume(await events.find_left(BOT))

    async def is_done() -> bool:
        return not await store.heard.open(BOT)

    await eventually(is_done)
    await events.stop()
    assert listener.heard == ["one"]


async def test_straggler_writes_nothing(store: Store) -> None:
    """A worker of an earlier start may not add to what the bot has heard."""
    old = await claim(store)
    await store.runs.take_epoch(BOT, old.epoch)

    with pytest.raises(StaleEpoch):
        await store.heard.add(old, [wrote("late", 1)])


class SlowListener(Listener):
    """Deals with the first event only when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def handle(self, row: HeardRow) -> bool:
        self.has_begun.set()
        await self.may_end.wait()
        return await super().handle(row)


async def test_bot_that_was_erased_and_came_back_is_heard(store: Store) -> None:
    """What comes while an event of the erased bot is still being dealt with is not left out."""
    listener, events, worker = SlowListener(), HeardEvents(store), await claim(store)
    events.listen(listener)
    await events.store(worker, [wrote("before", 1)])
    await listener.has_begun.wait()

    events.forget(BOT)
    await events.store(worker, [wrote("after", 2)])
    listener.may_end.set()

    await eventually(lambda: listener.heard == ["before", "after"])
    await events.stop()


class UnsteadyRows(HeardRows):
    """Rows in a database that stores the first events, and loses its answer."""

    is_mute = True

    async def add(self, claim: Claim, heard: Sequence[HeardByBot]) -> list[HeardRow]:
        added = await super().add(claim, heard)
        if self.is_mute:
            self.is_mute = False
            raise DatabaseUnavailable
        return added


async def test_event_that_is_stored_without_an_answer_is_heard(store: Store) -> None:
    """Events whose storing is not confirmed are stored again: not as new ones, and not in vain."""
    store.heard = UnsteadyRows(store.database, store.vault)
    listener, events, worker = Listener(), HeardEvents(store), await claim(store)
    events.listen(listener)

    with pytest.raises(DatabaseUnavailable):
        await events.store(worker, [wrote("one", 1)])
    await events.store(worker, [wrote("one", 1)])
    await events.store(worker, [wrote("two", 2)])

    await eventually(lambda: len(listener.heard) == 2)
    assert listener.heard == ["one", "two"]
    await events.stop()
