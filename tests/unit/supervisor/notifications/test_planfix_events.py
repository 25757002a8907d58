"""Events of Planfix that wait for a look-up are completed one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from session_worker.planfix.rest import RestPerson, RestTask
from supervisor.config import Config
from supervisor.database.notification_tables import notification
from supervisor.messages.message_service import Dispatchers
from supervisor.notifications.notice import Notice
from supervisor.notifications.notification_service import NotificationService, Sender
from supervisor.notifications.planfix_accounts import Comment, PlanfixAccounts, PlanfixRefused
from supervisor.notifications.planfix_event import read_event
from supervisor.notifications.planfix_events import PlanfixEvents
from supervisor.notifications.planfix_facts import PlanfixFacts
from supervisor.store.people import Person
from tests.unit.supervisor.rows import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from supervisor.store.store import Store

HOUR = 3600.0
ANDRIY, OLENA = 501, 502
NAMED = {"event": "comment.added", "task": "5", "telegramUserId": str(OLENA)}
UNNAMED = {"event": "task.assigned", "task": "6"}


class ReadableAccounts(PlanfixAccounts):
    """Accounts that have a key for the REST API; Planfix answers unless its limit is reached."""

    has_key = True

    async def can_read(self, number: str) -> bool:
        return self.has_key

    async def read_comment(self, number: str, comment: str) -> Comment:
        self._require_no_rest(number)
        return Comment(int(comment), f"text {comment}", "Olena", False, "user:9", ())

    async def read_task(self, number: str, task: str) -> RestTask:
        self._require_no_rest(number)
        return RestTask(f"task {task}", "", "", "", "", (("user:1", "Andriy"),))

    async def read_person(self, number: str, identifier: str) -> RestPerson:
        self._require_no_rest(number)
        return RestPerson("Andriy", str(ANDRIY), "", ())

    def _require_no_rest(self, number: str) -> None:
        if self.rests_for(number):
            raise PlanfixRefused("the limit is reached", is_final=False)


@dataclass
class Office:
    """The events of one bot, whose look-ups run only when they are asked to."""

    store: Store
    folder: Path
    accounts: ReadableAccounts = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Begin anew, as another process of the gateway would."""
        config = Config(self.folder, self.folder, 1, "hash")
        self.accounts = ReadableAccounts(self.store, config)
        dispatchers = Dispatchers(self.store, config)
        self.notifications = NotificationService(
            self.store, dispatchers, self.store.people, _sender_of
        )
        facts = PlanfixFacts(self.accounts, self.store.people)
        self.events = PlanfixEvents(self.store, self.notifications, self.accounts, facts)

    async def accept(self, **fields: str) -> str:
        accepted = await self.events.accept(NUMBER, read_event(fields))
        assert accepted.id is not None
        return accepted.id

    async def finish_next(self) -> float | None:
        assert self.notifications.lookup.chore is not None
        return await self.notifications.lookup.chore(NUMBER)

    async def told(self, identifier: str) -> dict[int, str]:
        """Return what each recipient of a notification is told."""
        body = await self.store.notifications.body(NUMBER, identifier)
        text = "".join(text for text, _ in Notice.model_validate_json(body).texts)
        outcomes = await self.notifications.show(NUMBER, identifier)
        return {each.peer_id: text for each in outcomes}


@pytest.fixture
async def office(store: Store, tmp_path: Path) -> Office:
    for user, name in ((ANDRIY, "Andriy"), (OLENA, "Olena")):
        await store.people.save(NUMBER, Person(user, name, "en"))
    return Office(store, tmp_path)


async def _sender_of(number: str) -> Sender:
    return Sender(number, is_bot=True, language="en")


def _damage(connection: Connection) -> None:
    connection.execute(update(notification).values(body=b"damaged"))


async def test_damaged_event_holds_up_nothing(store: Store, office: Office) -> None:
    """An event that cannot be read any more is given up, once; the next one is not behind it for ever."""
    await office.accept(event="task.created", task="5")
    await store.database.write(_damage)

    assert await office.finish_next() == 0.0
    assert await office.finish_next() is None


async def test_event_waits_for_the_end_of_a_short_limit(office: Office) -> None:
    """A notification that is a minute late is whole, and those behind it keep their order."""
    office.accounts.rest(NUMBER, 60.0, "limit")
    first = await office.accept(**NAMED, comment="1")
    second = await office.accept(**NAMED, comment="2")

    pause = await office.finish_next()
    assert pause is not None
    assert 0.0 < pause <= 60.0
    assert await office.told(first) == await office.told(second) == {}
    office.open()  # the gateway was killed; it asks Planfix again
    assert [await office.finish_next() for _ in range(3)] == [0.0, 0.0, None]

    [[(_, text)], [(_, later)]] = [
        list((await office.told(each)).items()) for each in (first, second)
    ]
    assert "text 1" in text
    assert "text 2" in later


async def test_event_for_nobody_waits_while_others_pass(office: Office) -> None:
    """At a limit of an hour whom an event names is told at once; the others are not forgotten."""
    office.accounts.rest(NUMBER, HOUR, "limit")
    unnamed = await office.accept(**UNNAMED)
    named = await office.accept(**NAMED, comment="1")

    assert [await office.finish_next() for _ in range(2)] == [0.0, 0.0]
    pause = await office.finish_next()
    assert pause is not None
    assert 0.0 < pause < HOUR
    assert await office.told(unnamed) == {}
    [[told, text]] = (await office.told(named)).items()
    assert (told, "text 1" in text) == (OLENA, False)
    office.open()
    assert [await office.finish_next() for _ in range(2)] == [0.0, None]

    [[told, text]] = (await office.told(unnamed)).items()
    assert (told, "task 6" in text) == (ANDRIY, True)


async def test_recipient_who_cannot_be_looked_up_now_is_not_lost(office: Office) -> None:
    """While the bot has no worker nobody can be looked up in Telegram, so the event waits for it."""
    office.accounts.has_key = False
    stored = await office.accept(**NAMED | {"telegramUserId": "", "telegramUserName": "@acme_news"})

    pause = await office.finish_next()

    assert pause is not None
    assert pause > 0.0
    assert await office.told(stored) == {}
