"""What registering leads to is done once, however often an event is handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.bots import HeardMessage, Speaker
from supervisor.bots.bot_service import bot_of
from supervisor.bots.registration import RegistrationService
from supervisor.bots.requests import BotRequests
from supervisor.config import Config
from supervisor.database.tables import Direction
from supervisor.errors import TokenMalformed, WorkerUnavailable
from supervisor.journal.browsing import Selection
from supervisor.numbers.keepers import Keepers
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.processes.forkserver import Forkserver
from supervisor.store.heard import HeardRow
from supervisor.store.values import BotDetails, NewNumber

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.store.store import Store

BOT = "7000001"
START = HeardMessage(
    chat_id=7, message_id=1, date=0, speaker=Speaker(user_id=7, first_name="Anna"), text="/start"
)


async def _wait_handed_over(_bot: str) -> None:
    """Nothing is ever handed over here."""


@pytest.fixture
async def keepers(store: Store, tmp_path: Path) -> Keepers:
    await store.numbers.create(NewNumber(BOT, "Acme", "", "", bot=BotDetails("7000001:AA", "en")))
    config = Config(tmp_path, tmp_path, 1, "hash", language="en")
    return Keepers(WorkerPool(Forkserver()), store, config)


async def test_repeated_event_leads_to_the_same_messages(store: Store, keepers: Keepers) -> None:
    """After a crash between acting and noting it, the event comes again; nobody hears twice."""
    service = RegistrationService(
        store, keepers.dispatchers, BotRequests(keepers), _wait_handed_over
    )
    row = HeardRow(1, BOT, START)

    taken = [await service.handle(row), await service.handle(row)]

    journal = (await keepers.dispatchers.of(BOT)).journal
    sent = await journal.list(Selection(direction=Direction.OUT))
    assert taken == [True, True]
    assert len(sent) == 2  # the languages, and the phone
    assert [person.name for person in await store.people.list(BOT)] == ["Anna"]


async def test_stop_is_answered_when_nothing_more_is_sent(store: Store, keepers: Keepers) -> None:
    """Whoever is told that the bot keeps quiet gets no message after that."""
    seen: list[tuple[bool, int]] = []
    journal = (await keepers.dispatchers.of(BOT)).journal

    async def wait_handed_over(bot: str) -> None:
        (person,) = await store.people.list(bot)
        answers = await journal.list(Selection(direction=Direction.OUT))
        seen.append((person.muted, len(answers)))

    service = RegistrationService(
        store, keepers.dispatchers, BotRequests(keepers), wait_handed_over
    )

    await service.handle(HeardRow(1, BOT, START.changed(text="/stop")))

    assert seen == [(True, 0)]
    assert len(await journal.list(Selection(direction=Direction.OUT))) == 1


async def test_other_messages_are_left_alone(store: Store, keepers: Keepers) -> None:
    """What has nothing to do with registration is for others."""
    service = RegistrationService(
        store, keepers.dispatchers, BotRequests(keepers), _wait_handed_over
    )
    row = HeardRow(1, BOT, START.changed(text="Where is my order?"))

    assert not await service.handle(row)


async def test_bot_that_does_not_run_carries_nothing_out(keepers: Keepers) -> None:
    """An edit is of no use later, so it is refused rather than kept."""
    with pytest.raises(WorkerUnavailable):
        await BotRequests(keepers).edit(BOT, 7, 1, "new text")


@pytest.mark.parametrize(
    "token", ["", "abc", "123456", ":AA", "12:AA", "12345\u0665:AA", "123456:"]
)
def test_what_is_no_token(token: str) -> None:
    """A token is the id of a bot, a colon, a secret."""
    with pytest.raises(TokenMalformed):
        bot_of(token)


def test_token_names_its_bot() -> None:
    """The id before the colon stands for the number."""
    assert bot_of("7000001:AAsecret") == "7000001"
