"""Notifications are stored before they are answered, sent once and in order, and tell their fate."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from session_worker.protocol.messages import Contact, Failed, Failure, Resolve, Resolved, Send
from supervisor.bots.chat import BotChat, ChatButton
from supervisor.config import Config
from supervisor.database.notification_tables import notification
from supervisor.errors import DatabaseUnavailable, NotificationUnknown, TemplateUnknown
from supervisor.journal.browsing import Selection
from supervisor.messages.message_service import Dispatchers
from supervisor.notifications.formatting.default_templates import event_names
from supervisor.notifications.formatting.marked_text import MarkedText
from supervisor.notifications.formatting.templates import Template, TextFormat
from supervisor.notifications.notice import (
    Attachment,
    Button,
    Keyboard,
    Manner,
    Rejected,
    make_notice,
)
from supervisor.notifications.notification_service import NotificationService, Sender, Wording
from supervisor.notifications.outcome import Accepted, RecipientState
from supervisor.notifications.queue import NotificationQueue
from supervisor.notifications.rates import MOST_TO_A_GROUP
from supervisor.notifications.recipients import parse_address
from supervisor.store.notifications import Notifications
from supervisor.store.values import Entity, Queued, UnderWay
from tests.support.waiting import eventually
from tests.unit.supervisor.rows import NUMBER, sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from session_worker.protocol.contract import Command
    from supervisor.store.store import Store

PLAIN = Manner()
KNOWN = Contact(peer_id=7, first_name="Olena")
QUEUED = Queued(id=1, peer_id=5, parts=1, is_urgent=False, expires=None)


@dataclass
class FakePerson:
    user_id: int
    muted: bool = False
    alias: str | None = None


@dataclass
class FakePeople:
    """People whom nobody has to register."""

    known: dict[str, FakePerson] = field(default_factory=dict)
    blocked: list[int] = field(default_factory=list)
    asked: list[set[int]] = field(default_factory=list)
    """About whom the queue has asked whether they are muted, in each question."""
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def find(self, _bot: str, **names: Any) -> FakePerson | None:
        return next((self.known[str(n)] for n in names.values() if str(n) in self.known), None)

    async def list(self, _bot: str) -> list[FakePerson]:
        return list(self.known.values())

    async def find_muted(self, _bot: str, user_ids: Collection[int]) -> frozenset[int]:
        self.asked.append(set(user_ids))
        muted = {each for each in user_ids if (known := self.known.get(str(each))) and known.muted}
        await self.may_answer.wait()
        return frozenset(muted)

    async def block(self, _bot: str, user_id: int, *, is_blocked: bool) -> None:
        assert is_blocked
        self.blocked.append(user_id)


class Bot:
    """A bot with a worker that only records what it gets."""

    def __init__(self, store: Store, data: Path) -> None:
        self.store = store
        self.config = Config(data_dir=data, session_root=data, api_id=1, api_hash="")
        self.people = FakePeople()
        self.told: list[Command] = []
        self.is_bot = True
        self.open()

    def open(self) -> None:
        """Begin anew, as another process of the gateway would."""
        self.dispatchers = Dispatchers(self.store, self.config)
        self.service = NotificationService(
            self.store, self.dispatchers, self.people, self._sender_of
        )

    async def attach(self) -> None:
        dispatcher = await self.dispatchers.of(NUMBER)
        epoch = (await self.store.numbers.get(NUMBER)).epoch
        await dispatcher.prepare(await self.store.runs.take_epoch(NUMBER, epoch))
        dispatcher.attach_worker(self.told.append)

    async def close(self) -> None:
        await (await self.dispatchers.of(NUMBER)).detach_worker()
        await self.service.stop()

    async def notify(
        self, *to: str | int, text: str = "hello", manner: Manner = PLAIN, **options: Any
    ) -> Accepted:
        sender = Sender(NUMBER, self.is_bot, "en")
        notice = make_notice(MarkedText(text), [], manner)
        addresses = [parse_address(each) for each in to]
        return await self.service.notify(sender, addresses, notice, manner, **options)

    async def states(self, accepted: Accepted) -> list[tuple[str, str, str | None]]:
        assert accepted.id is not None
        outcomes = await self.service.show(NUMBER, accepted.id)
        return [(each.to, each.outcome.state.value, each.outcome.error) for each in outcomes]

    @property
    def sends(self) -> list[Send]:
        return [command for command in self.told if isinstance(command, Send)]

    @property
    def questions(self) -> list[Resolve]:
        return [command for command in self.told if isinstance(command, Resolve)]

    async def say(self, *events: Any) -> None:
        await (await self.dispatchers.of(NUMBER)).record_events(events)

    async def _sender_of(self, number: str) -> Sender:
        return Sender(number, self.is_bot, "en")


@pytest.fixture
async def bot(store: Store, tmp_path: Path) -> AsyncIterator[Bot]:
    made = Bot(store, tmp_path)
    yield made
    await made.close()


async def test_notification_reaches_the_worker_once(bot: Bot) -> None:
    """What was accepted waits for a worker, is handed to it once, and its fate can be asked."""
    accepted = await bot.notify(5, "chat:-1001234567890/topic:7")
    assert accepted.accepted == 2
    await bot.attach()

    await eventually(lambda: len(bot.sends) == 2)

    assert [(s.outgoing.peer_id, s.outgoing.topic) for s in bot.sends] == [
        (5, None), (-1001234567890, 7)
    ]  # fmt: skip
    await bot.say(sent(bot.sends[0].row, 71))
    assert (await bot.states(accepted))[0] == ("5", "sent", None)


@pytest.mark.parametrize(
    ("text", "names", "messages"),
    [
        ("see", ["a.jpg"], [("see", (0,))]),
        ("see", ["a.jpg", "b.jpg"], [("see", ()), ("", (0, 1))]),
        ("", ["a.jpg", "b.jpg", "c.jpg"], [("", (0, 1)), ("", (2,))]),
        ("", ["a.jpg", "b.jpg", "c.pdf"], [("", (0, 1)), ("", (2,))]),
    ],
)
async def test_buttons_are_in_no_album(
    text: str, names: list[str], messages: list[tuple[str, tuple[int, ...]]]
) -> None:
    """Telegram shows no buttons under an album: the text, or else the last file, is by itself."""
    buttons = Manner(keyboard=Keyboard(rows=((Button(text="Open", data="1"),),)))
    files = [Attachment(name=each, url=f"https://example.com/{each}") for each in names]
    notice = make_notice(MarkedText(text), files, buttons)

    outgoing = notice.outgoing(QUEUED, "notify:1")

    assert [(part.text, part.files) for part in outgoing.parts] == messages
    assert notice.parts == len(names) + (len(messages[0][1]) == 0)


async def test_chat_goes_on_after_a_crash_behind_a_sent_message(bot: Bot) -> None:
    """A message that was sent, but not marked before a crash, does not hold up its chat."""
    await bot.notify(5)
    await bot.attach()
    await eventually(lambda: len(bot.sends) == 1)
    await bot.say(sent(bot.sends[0].row, 71))
    await bot.close()
    await bot.store.database.write(_forget_mark)

    bot.told.clear()
    bot.open()
    await bot.attach()
    await bot.notify(5, text="next")
    await eventually(lambda: len(bot.sends) == 1)
    assert [part.text for part in bot.sends[0].outgoing.parts] == ["next"]


class FinishingRows(Notifications):
    """A message that ends just while the queue reads what is on its way."""

    def __init__(self) -> None:
        self.queue: NotificationQueue
        self.is_read = False

    async def under_way(self, number: str) -> dict[int, UnderWay]:
        await self.queue.finish(7)
        return {7: UnderWay(5, 1), 8: UnderWay(6, 1)}

    async def ended_since(self, number: str, moment: datetime) -> list[tuple[datetime, UnderWay]]:
        return []

    async def chat_of_row(self, row: int) -> tuple[int, str | None]:
        return 5, None

    async def next_queued(self, number: str, now: float, limit: int) -> list[Queued]:
        self.is_read = True
        return []

    async def next_due(self, number: str, now: float) -> float | None:
        return None


async def test_end_of_a_message_is_noticed_at_any_moment(bot: Bot) -> None:
    """A message that ends while others are read does not hold up its chat for ever."""
    rows = FinishingRows()
    queue = NotificationQueue(NUMBER, rows, bot.dispatchers, bot.people, is_bot=True)
    rows.queue = queue
    queue.start()

    await eventually(lambda: rows.is_read and not queue.has(9))
    assert (queue.has(7), queue.has(8)) == (False, True)
    await queue.stop()


async def test_damaged_notification_holds_up_nothing(bot: Bot) -> None:
    """A notification that cannot be read any more fails, and the next one of its chat is sent."""
    damaged = await bot.notify(5, text="damaged")
    await bot.store.database.write(_damage_bodies)
    await bot.notify(5, text="whole")
    await bot.attach()

    await eventually(lambda: bool(bot.sends))

    assert [each.outgoing.parts[0].text for each in bot.sends] == ["whole"]
    assert damaged.id is not None
    [progress] = await bot.store.notifications.progress(NUMBER, damaged.id)
    assert (progress.stored, progress.error_code) == ("failed", "body_unreadable")


def _damage_bodies(connection: Any) -> None:
    connection.execute(update(notification).values(body=b"damaged"))


class UnsteadyRows(Notifications):
    """Rows in a database that does not answer the first few questions."""

    failures = 0

    async def has_work(self, number: str) -> bool:
        self._answer()
        return await super().has_work(number)

    async def chat_of_row(self, row: int) -> tuple[int, str | None]:
        self._answer()
        return await super().chat_of_row(row)

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable


@pytest.fixture
async def shaky_bot(bot: Bot) -> Bot:
    """Let the bot begin anew with rows whose database may be away."""
    await bot.service.stop()
    bot.store.notifications = UnsteadyRows(bot.store.database, bot.store.vault)
    bot.open()
    return bot


async def test_what_waits_is_sent_though_the_database_was_away(shaky_bot: Bot) -> None:
    """A worker that starts while the database is away sends what waits as soon as it is back."""
    await shaky_bot.notify(5)
    rows = shaky_bot.store.notifications
    assert isinstance(rows, UnsteadyRows)
    rows.failures = 2

    await shaky_bot.attach()

    await eventually(lambda: len(shaky_bot.sends) == 1)


async def test_next_message_follows_though_the_database_was_away(shaky_bot: Bot) -> None:
    """A message that ends while the database is away does not hold up the next one of its chat."""
    for text in ("one", "two"):
        await shaky_bot.notify(5, text=text)
    await shaky_bot.attach()
    await eventually(lambda: len(shaky_bot.sends) == 1)
    rows = shaky_bot.store.notifications
    assert isinstance(rows, UnsteadyRows)
    rows.failures = 1

    await shaky_bot.say(sent(shaky_bot.sends[0].row, 71))

    await eventually(lambda: len(shaky_bot.sends) == 2)


async def test_limits_outlive_the_process(bot: Bot) -> None:
    """What an earlier process sent into a group within the minute counts for the next one."""
    group = "chat:-1001234567890"
    await bot.notify(group, text="\n".join(["x" * 3000] * MOST_TO_A_GROUP))
    await bot.attach()
    await eventually(lambda: bool(bot.sends))
    [first] = bot.sends
    await bot.say(*(sent(first.row, 71 + part, part=part) for part in range(MOST_TO_A_GROUP)))
    await bot.close()

    bot.told.clear()
    bot.open()
    await bot.notify(group, text="one too many")
    await bot.notify(5, text="to somebody else")
    await bot.attach()
    await eventually(lambda: bool(bot.sends))

    assert [each.outgoing.parts[0].text for each in bot.sends] == ["to somebody else"]


async def test_crash_between_journal_and_mark_sends_nothing_twice(bot: Bot) -> None:
    """A recipient whose message is in the journal already finds it there again."""
    await bot.notify(5)
    await bot.attach()
    await eventually(lambda: len(bot.sends) == 1)
    random_ids = bot.sends[0].outgoing.parts[0].random_ids
    await bot.close()
    await bot.store.database.write(_forget_mark)

    bot.told.clear()
    bot.open()
    await bot.attach()
    await eventually(lambda: len(bot.sends) == 1)

    assert bot.sends[0].outgoing.parts[0].random_ids == random_ids


async def test_repeat_with_dedup_key_is_the_same(bot: Bot) -> None:
    """Calls with one dedup key are one notification, and get one answer."""
    manner = Manner(dedup_key="task-1")
    answers = await asyncio.gather(*(bot.notify(5, 6, manner=manner) for _ in range(4)))
    other = await bot.notify(5, manner=Manner(dedup_key="task-2"))

    assert len({answer.id for answer in answers}) == 1
    assert {answer.accepted for answer in answers} == {2}
    assert other.id not in {answer.id for answer in answers}


async def test_dry_run_stores_nothing(bot: Bot) -> None:
    """A dry run says who would be told, and leaves nothing behind."""
    answer = await bot.notify(5, "@nobody", dry_run=True)

    assert (answer.id, answer.accepted) == (None, 1)
    assert [each.code for each in answer.rejected] == ["unknown_recipient"]
    assert await bot.store.notifications.next_queued(NUMBER, time.time(), 10) == []


async def test_people_are_found_by_any_name(bot: Bot) -> None:
    """Who registered is found by id, user name, phone and alias, and told once."""
    olena = FakePerson(5, alias="ops")
    bot.people.known = {"olena": olena, "380501112233": olena, "5": olena}

    answer = await bot.notify("@olena", "+380501112233", 5, "alias:ops", "alias:none")

    assert answer.accepted == 1
    assert [(each.to, each.code) for each in answer.rejected] == [
        ("alias:none", "unknown_recipient")
    ]


async def test_alias_of_muted_people_is_rejected(bot: Bot) -> None:
    """Whoever names only people who stopped the bot is told so."""
    bot.people.known = {str(n): FakePerson(n, muted=True, alias="ops") for n in (5, 6)}

    answer = await bot.notify("alias:ops")

    assert (answer.accepted, [each.code for each in answer.rejected]) == (0, ["muted"])


async def test_muted_person_is_rejected(bot: Bot) -> None:
    """Nobody who stopped the bot is written to."""
    bot.people.known = {"5": FakePerson(5, muted=True)}

    answer = await bot.notify(5)

    assert [(each.to, each.code) for each in answer.rejected] == [("5", "muted")]


async def test_block_mutes_and_ends_the_rest(bot: Bot) -> None:
    """Who has blocked the bot is muted, and what else waits for them is given up."""
    first = await bot.notify(5)
    second = await bot.notify(5)
    await bot.attach()
    await eventually(lambda: bool(bot.sends))

    await bot.say(Failed(row=bot.sends[0].row, failure=Failure(code="USER_IS_BLOCKED")))

    await eventually(lambda: bot.people.blocked == [5])
    await _state_becomes(bot, second, ("5", "failed", "muted"))
    assert await bot.states(first) == [("5", "failed", "blocked_by_contact")]
    assert len(bot.sends) == 1


async def test_who_stops_the_bot_is_told_nothing_that_waits(bot: Bot) -> None:
    """What was accepted for later does not reach somebody who has stopped the bot meanwhile."""
    stopped, other = await bot.notify(5), await bot.notify(6)
    bot.people.known = {"5": FakePerson(5, muted=True), "6": FakePerson(6)}
    await bot.attach()

    await eventually(lambda: bool(bot.sends))
    await _state_becomes(bot, stopped, ("5", "failed", "muted"))

    assert await bot.states(other) == [("6", "queued", None)]
    assert [each.outgoing.peer_id for each in bot.sends] == [6]


async def test_muted_people_are_asked_for_together(bot: Bot) -> None:
    """A bulk costs one question for each part that is handed over, and a group is asked for never."""
    await bot.notify(5, 6, 7, "chat:-1001234567890")
    await bot.attach()

    await eventually(lambda: len(bot.sends) == 4)

    assert bot.people.asked == [{5, 6, 7}]


async def test_nobody_is_told_anything_after_stopping_the_bot(bot: Bot) -> None:
    """What is handed over while somebody stops the bot comes before the answer to that."""
    bot.people.may_answer.clear()
    await bot.notify(5)
    await bot.attach()
    await eventually(lambda: bool(bot.people.asked))
    bot.people.known = {"5": FakePerson(5, muted=True)}

    settling = asyncio.create_task(bot.service.wait_handed_over(NUMBER))
    await asyncio.sleep(0)  # lets it begin
    was_waiting = not settling.done()
    bot.people.may_answer.set()
    await settling

    stored = await (await bot.dispatchers.of(NUMBER)).journal.list(Selection())
    assert was_waiting
    assert len(stored) == 1


async def test_late_notification_expires(bot: Bot) -> None:
    """What could not be sent in time is not sent late."""
    accepted = await bot.notify(5, manner=Manner(expires=time.time() - 1))
    await bot.attach()

    await _state_becomes(bot, accepted, ("5", "expired", None))
    assert bot.sends == []


async def test_scheduled_notification_waits(bot: Bot) -> None:
    """A scheduled message does not hold up those that are due."""
    await bot.notify(5, text="later", manner=Manner(not_before=time.time() + 3600))
    await bot.notify(5, text="now")
    await bot.attach()

    await eventually(lambda: bool(bot.sends))

    assert [each.outgoing.parts[0].text for each in bot.sends] == ["now"]


async def test_number_writes_to_few_strangers(bot: Bot) -> None:
    """A number tells many only if it has written to them; one stranger it may write to."""
    bot.is_bot = False

    many = await bot.notify(5, 6)
    one = await bot.notify(5)

    assert [each.code for each in many.rejected] == ["stranger", "stranger"]
    assert one.accepted == 1


async def test_number_asks_telegram_for_no_strangers(bot: Bot) -> None:
    """Of many names only those are looked up in Telegram that belong to somebody it knows."""
    bot.is_bot = False
    await bot.attach()
    epoch = (await bot.store.numbers.get(NUMBER)).epoch
    await bot.store.entities.save(NUMBER, epoch, [Entity(7, 1, "Known"), Entity(8, 1)])

    names = ["@known", "@nobody", "+380501"]
    telling = asyncio.create_task(bot.notify(*names))
    await eventually(lambda: bot.questions)
    await bot.say(Resolved(request_id=bot.questions[0].request_id, contact=KNOWN))
    accepted = await telling

    assert [question.username for question in bot.questions] == ["known"]
    assert [(each.to, each.code) for each in accepted.rejected] == [
        (name, "stranger") for name in names[1:]
    ]
    assert accepted.accepted == 1


async def test_waiting_ends_with_the_outcome(bot: Bot) -> None:
    """Whoever waits learns the outcome as soon as there is one."""
    accepted = await bot.notify(5)
    assert accepted.id is not None
    await bot.attach()
    waiting = asyncio.create_task(bot.service.wait(NUMBER, accepted.id, 50))
    await eventually(lambda: bool(bot.sends))

    await bot.say(sent(bot.sends[0].row, 71))

    [outcome] = await waiting
    assert (outcome.outcome.state, outcome.outcome.message_id) == (RecipientState.SENT, 71)


async def test_foreign_notification_is_unknown(bot: Bot, store: Store) -> None:
    """The fate of a notification is told to its sender only."""
    accepted = await bot.notify(5)
    assert accepted.id is not None

    with pytest.raises(NotificationUnknown):
        await bot.service.show("79009999999", accepted.id)
    assert b"hello" not in await _raw_body(store)


async def test_rejected_addresses_are_kept(bot: Bot) -> None:
    """Who was rejected is told again when the call is repeated."""
    manner = Manner(dedup_key="a")
    notice = make_notice(MarkedText("x"), [], manner).changed(
        rejected=(Rejected(to="?", code="invalid_recipient"),)
    )
    sender = Sender(NUMBER, is_bot=True, language="en")
    for _ in range(2):
        answer = await bot.service.notify(sender, [parse_address(5)], notice, manner)
        assert [each.code for each in answer.rejected] == ["invalid_recipient"]


async def test_old_notifications_are_erased(bot: Bot) -> None:
    """After their time notifications are deleted, except those that still wait."""
    waits = await bot.notify(5, manner=Manner(not_before=time.time() + 3600))
    over = await bot.notify()
    later = datetime.now(UTC) + timedelta(days=1)

    assert await bot.store.erasure.delete_notifications(later, 10) == 1
    assert await bot.states(waits) == [("5", "queued", None)]
    with pytest.raises(NotificationUnknown):
        await bot.states(over)


async def test_own_template_comes_first(bot: Bot) -> None:
    """A sender's own template hides the operator's, and both hide ours; each in its language."""
    save = bot.service.save_template
    find = bot.service.find_template
    ours = await find(NUMBER, "task.created", "uk")
    await save(None, "task.created", Template("everybody's {{ title }}"))
    everybodys = await find(NUMBER, "task.created", "uk")
    await save(NUMBER, "task.created", Template("own {{ title }}", TextFormat.PLAIN, "uk"))

    assert "Нове завдання" in ours.text
    assert everybodys.text == "everybody's {{ title }}"
    assert (await find(NUMBER, "task.created", "uk")).text == "own {{ title }}"
    await bot.service.delete_template(NUMBER, "task.created", None)
    assert await find(NUMBER, "task.created", "uk") == everybodys
    with pytest.raises(TemplateUnknown):
        await find(NUMBER, "nothing", "uk")
    with pytest.raises(TemplateUnknown):
        await bot.service.delete_template(NUMBER, "task.created", None)


@pytest.mark.parametrize("language", ["en", "ru", "uk", "fr"])
async def test_default_templates_can_be_rendered(bot: Bot, language: str) -> None:
    """Each of our templates needs only the fields that its event has, and shows them as they are."""
    names = (
        *("task", "title", "author", "status", "due", "text"),
        *("location", "date", "organizer", "event_title", "price", "buyer"),
    )
    data = {name: f"<{name}>" for name in names}
    for name in (*event_names(), "event.created", "ticket.purchased"):
        wording = Wording(template=name, data=data, language=language)
        rendered = await bot.service.word(Sender(NUMBER, is_bot=True, language="en"), wording)

        assert "<title>" in rendered.text or "<event_title>" in rendered.text


async def _state_becomes(bot: Bot, accepted: Accepted, state: tuple[str, str, str | None]) -> None:
    assert accepted.id is not None
    await bot.service.wait(NUMBER, accepted.id, 50)
    assert await bot.states(accepted) == [state]


def _forget_mark(connection: Any) -> None:
    connection.exec_driver_sql("UPDATE notification_recipient SET state = 'queued'")


async def _raw_body(store: Store) -> bytes:
    rows = await store.database.read(
        lambda connection: connection.exec_driver_sql("SELECT body FROM notification").all()
    )
    return b"".join(bytes(row.body) for row in rows)


async def test_plugged_in_bot_keeps_the_limits(bot: Bot) -> None:
    """What a bot says of its own accord waits in the same queue, and is said once under each key."""
    nobody: Any = None
    chat = BotChat(NUMBER, "en", nobody, nobody, nobody, bot.service)
    for key in ("news:1", "news:1", "news:2"):
        await chat.notify(key, 5, key, ((ChatButton("Open", data="opaque"),),))
    await bot.attach()

    await eventually(lambda: bot.sends)

    [first] = bot.sends  # the next one waits until this one is through
    assert first.outgoing.connector == "notify"
    assert first.outgoing.parts[0].text == "news:1"
    assert first.outgoing.keyboard is not None
    assert first.outgoing.keyboard.rows[0][0].data == "opaque"
    waiting = await bot.store.notifications.next_queued(NUMBER, time.time(), 10)
    assert len(waiting) == 1
