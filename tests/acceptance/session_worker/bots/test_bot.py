"""A bot's worker against the sandbox: logging in, hearing everything once, editing, answering."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.telegram.chats.message_actions import Draft
from session_worker.bot import BotSession
from session_worker.protocol.bots import (
    NOT_IN_CHAT,
    AnswerPress,
    BotCommand,
    ButtonPress,
    DeleteMessages,
    Done,
    EditMessage,
    Heard,
    HeardMessage,
    PresentBot,
    Stopped,
)
from session_worker.protocol.contract import PlanfixAccount, SessionState
from session_worker.protocol.login import LoginByToken, LoginFailed, LoginMoved
from session_worker.protocol.messages import Received, Resolve, Resolved, Send
from session_worker.protocol.messages import Stored as StoredPositions
from session_worker.protocol.outgoing import Button, Keyboard, Outgoing, Part
from session_worker.session import SessionEnded, SessionGained
from session_worker.sign_in import SignIn
from tests.acceptance.session_worker.number import QUICK, Memory, Right, assignment, imported
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from session_worker.protocol.bots import BotRequest
    from session_worker.protocol.contract import Assignment, Event

NOWHERE = PlanfixAccount(url="", token="", provider_id="telegram")


class Recorder(Memory):
    """Stores what a bot reports, and confirms it as the supervisor does."""

    session_of: BotSession | None = None

    def put(self, event: Event) -> None:
        super().put(event)
        if isinstance(event, Heard | Received) and self.session_of is not None:
            confirming = self.session_of.handle(StoredPositions(positions=event.positions))
            self.confirming = asyncio.ensure_future(confirming)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def heard(self) -> list[Any]:
        """Everything that the bot has to react to, in order."""
        found = [event.heard if isinstance(event, Received) else event.what for event in self._both]
        return [each for each in found if each is not None]

    @property
    def _both(self) -> list[Any]:
        return self.of(Received | Heard)  # type: ignore[arg-type]  # a union is a type to isinstance

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.heard if isinstance(each, HeardMessage)]


class RunningBot:
    """A bot whose worker can be stopped and started again."""

    def __init__(self, telegram: DataCentre, account: Account, spool: Path) -> None:
        self.telegram = telegram
        self.account = account
        self.spool = spool
        self.recorder = Recorder(imported(telegram.session_string_for(account.phone)))

    def assignment(self) -> Assignment:
        made = assignment(self.telegram, str(self.account.id), self.recorder.session)
        more = {"is_bot": True, "planfix": NOWHERE, "spool": str(self.spool), "language": "en"}
        return made.model_copy(update=more)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BotSession]:
        session = BotSession(self.assignment(), self.recorder, Right(), timing=QUICK)
        self.recorder.session_of = session
        running = asyncio.create_task(session.run())
        await eventually(lambda: self.recorder.has_come_to(SessionState.ONLINE))
        try:
            yield session
        finally:
            await session.stop()
            await running

    async def until_settled(self) -> None:
        """Wait until the place up to which all was heard is stored; what lies behind it may be heard again."""
        place = self.account.log.pts
        await eventually(lambda: self.recorder.place and self.recorder.place.pts == place)

    async def ask(self, session: BotSession, request: BotRequest) -> Done:
        """Have a request carried out; return what became of it."""
        await session.handle(request)

        def done() -> Done | None:
            found = (d for d in self.recorder.of(Done) if d.request_id == request.request_id)
            return next(found, None)

        answer = await eventually(done)
        assert answer is not None
        return answer


@pytest.fixture
def taras(telegram: DataCentre) -> Account:
    return telegram.account_of("380671112233")


@pytest.fixture
def bot(telegram: DataCentre, tmp_path: Path) -> RunningBot:
    return RunningBot(telegram, telegram.accounts.add_bot("helper_bot", "Helper"), tmp_path)


def message(person: int, text: str, **fields: Any) -> Send:
    part = Part(text=text, marks=(), random_ids=(11,))
    outgoing = Outgoing(peer_id=person, planfix_id="1", parts=(part,), connector="bot", **fields)
    return Send(row=1, outgoing=outgoing)


def begin_login(bot: RunningBot) -> tuple[Recorder, SignIn]:
    """Make a login of the bot, which has no session."""
    recorder = Recorder()
    without = bot.assignment().model_copy(update={"session": None})
    return recorder, SignIn(without, recorder, Right(), QUICK)


async def test_bot_logs_in_with_its_token(bot: RunningBot) -> None:
    """The token gains a session and the bot's name; a wrong one ends the login with Telegram's word."""
    recorder, sign_in = begin_login(bot)
    running = asyncio.create_task(sign_in.run())
    await sign_in.handle(LoginByToken(request_id=1, token=bot.account.bot_token))
    with pytest.raises(SessionGained):
        await running
    (moved,) = recorder.of(LoginMoved)
    assert (moved.stage, moved.username) == ("logged_in", "helper_bot")
    assert recorder.session is not None

    recorder, sign_in = begin_login(bot)
    running = asyncio.create_task(sign_in.run())
    await sign_in.handle(LoginByToken(request_id=2, token=f"{bot.account.id}:wrong"))
    with pytest.raises(SessionEnded):
        await running
    (failed,) = recorder.of(LoginFailed)
    assert "ACCESS_TOKEN_INVALID" in failed.detail


async def test_token_of_another_bot_is_refused(bot: RunningBot) -> None:
    """A login that turns out to be another bot's is ended at once."""
    other = bot.telegram.accounts.add_bot("other_bot", "Other")
    recorder, sign_in = begin_login(bot)
    running = asyncio.create_task(sign_in.run())
    await sign_in.handle(LoginByToken(request_id=1, token=other.bot_token))
    with pytest.raises(SessionEnded):
        await running

    (failed,) = recorder.of(LoginFailed)
    assert failed.failure == "wrong_account"
    assert bot.telegram.keys.of_account(other) == []


async def test_nothing_is_missed_while_the_worker_is_away(bot: RunningBot, taras: Account) -> None:
    """What was written, shared and blocked in the meantime is heard once, in order."""
    telegram = bot.telegram
    async with bot.running():
        telegram.bots.start(taras, bot.account, "ops")
        await eventually(lambda: bot.recorder.texts == ["/start ops"])
        await bot.until_settled()
    telegram.message_actions.send(taras, bot.account, Draft("one"))
    telegram.bots.share_contact(taras, bot.account)
    telegram.bots.block(taras, bot.account, is_blocked=True)
    async with bot.running():
        await eventually(lambda: len(bot.recorder.heard) == 4)
        await bot.until_settled()
    async with bot.running():
        telegram.bots.start(taras, bot.account)
        await eventually(lambda: bot.recorder.texts[-1:] == ["/start"])

    phones = [each.phone for each in bot.recorder.heard if isinstance(each, HeardMessage)]
    blocks = [each.is_stopped for each in bot.recorder.heard if isinstance(each, Stopped)]
    assert bot.recorder.texts == ["/start ops", "one", "", "/start"]
    assert phones == [None, None, taras.phone, None]
    assert blocks == [True, False]
    assert not any(event.is_for_planfix for event in bot.recorder.of(Received))


async def test_gap_is_filled_by_ids(bot: RunningBot, taras: Account) -> None:
    """When Telegram has forgotten what the bot missed, it reads the messages one by one."""
    async with bot.running():
        bot.telegram.bots.start(taras, bot.account)
        await eventually(lambda: bot.recorder.texts == ["/start"])
    for text in ("one", "two"):
        bot.telegram.message_actions.send(taras, bot.account, Draft(text))
    bot.telegram.forget_events("helper_bot")
    async with bot.running():
        await eventually(lambda: bot.recorder.texts == ["/start", "one", "two"])


async def test_press_is_heard_and_answered(bot: RunningBot, taras: Account) -> None:
    """A message with buttons is sent, pressed, answered, edited, deleted."""
    telegram, key = bot.telegram, Button(text="Take", data="take:1")
    async with bot.running() as session:
        telegram.bots.start(taras, bot.account)
        await eventually(lambda: bot.recorder.texts == ["/start"])
        keyboard = Keyboard(rows=((key,),))
        await session.handle(message(taras.id, "New task", keyboard=keyboard))
        sent = await eventually(lambda: taras.box.get(2))
        assert sent is not None
        pressing = asyncio.ensure_future(telegram.bots.press(taras, sent, b"take:1"))
        press = await eventually(
            lambda: next((e for e in bot.recorder.heard if isinstance(e, ButtonPress)), None)
        )
        assert press is not None
        place = {"peer_id": taras.id, "message_id": press.message_id}
        answer = AnswerPress(request_id=1, query_id=press.query_id, text="Yours", is_alert=True)
        answered = await bot.ask(session, answer)
        edited = await bot.ask(session, EditMessage(request_id=2, text="Taken", **place))
        again = await bot.ask(session, EditMessage(request_id=3, text="Taken", **place))
        late = await bot.ask(session, answer.model_copy(update={"request_id": 4}))
        shown = sent.content.text, sent.content.reply_markup
        gone = DeleteMessages(request_id=5, peer_id=taras.id, message_ids=(press.message_id,))
        elsewhere = gone.model_copy(update={"request_id": 6, "peer_id": taras.id + 1})
        spared = await bot.ask(session, elsewhere)
        deleted = await bot.ask(session, gone)

    assert (press.user_id, press.chat_id, press.data) == (taras.id, taras.id, "take:1")
    assert (await pressing).message == "Yours"
    assert [done.failure for done in (answered, edited, again, late, spared, deleted)] == [
        *(None, None, "MESSAGE_NOT_MODIFIED"),
        *("QUERY_ID_INVALID", NOT_IN_CHAT, None),
    ]
    assert shown == ("Taken", None)
    assert taras.box.get(2) is None


async def test_bot_presents_itself(bot: RunningBot) -> None:
    """Commands and the menu's Mini App are set."""
    async with bot.running() as session:
        commands = (BotCommand(name="board", description="Open the board"),)
        shown = PresentBot(
            request_id=1, commands=commands, menu_text="Board", menu_url="https://example.com/app"
        )
        done = await bot.ask(session, shown)

    profile = bot.account.bot_profile
    assert profile is not None
    assert done.failure is None
    (listed,) = profile.commands.values()
    assert [(each.command, each.description) for each in listed] == [("board", "Open the board")]
    assert profile.menu_buttons[0].url == "https://example.com/app"


async def test_groups_are_written_to_and_heard_for_commands(
    bot: RunningBot, taras: Account
) -> None:
    """In a supergroup the bot hears a command, not the talk, writes into a topic, and deletes that again."""
    telegram = bot.telegram
    crowd, _ = telegram.channels.create(taras, "Crowd", broadcast=False)
    telegram.channels.invite(crowd, taras, [bot.account])
    topic = telegram.channels.open_topic(crowd, taras, "Ops").message.id
    async with bot.running() as session:
        telegram.channels.post(crowd, taras, Draft("just talking"))
        telegram.channels.post(crowd, taras, Draft("/chat"))
        (heard,) = await eventually(lambda: bot.recorder.heard)
        await session.handle(message(crowd.id, "disk full", topic=topic))
        newest = await eventually(
            lambda: next((m for m in crowd.box if m.content.text == "disk full"), None)
        )
        assert newest is not None
        gone = DeleteMessages(request_id=1, peer_id=crowd.id, message_ids=(newest.id, 999))
        deleted = await bot.ask(session, gone)
        again = await bot.ask(session, gone.model_copy(update={"request_id": 2}))

    assert (heard.text, heard.chat_id, heard.speaker.user_id) == ("/chat", crowd.id, taras.id)
    assert newest.content.topic == topic
    assert (deleted.failure, again.failure) == (None, NOT_IN_CHAT)
    assert newest.id not in {each.id for each in crowd.box}


async def test_recipients_are_found_among_acquaintances(bot: RunningBot, taras: Account) -> None:
    """A bot finds people by the phone that they have shown it; nobody else's phone."""
    telegram = bot.telegram
    taras.phone_visible = False
    async with bot.running() as session:
        telegram.bots.start(taras, bot.account)
        telegram.bots.share_contact(taras, bot.account)
        await eventually(lambda: len(bot.recorder.heard) == 2)
        await session.handle(Resolve(request_id=1, phone=f"+{taras.phone}"))
        await session.handle(Resolve(request_id=2, phone="380501112233"))
        first, second = await eventually(
            lambda: found if len(found := bot.recorder.of(Resolved)) == 2 else []
        )

    by_request = {each.request_id: each for each in (first, second)}
    assert by_request[1].contact is not None
    assert by_request[1].contact.peer_id == taras.id
    assert by_request[2].contact is None
    entity = next(e for e in bot.recorder.session.entities if e.peer_id == taras.id)  # type: ignore[union-attr]  # it is logged in
    assert entity.phone == taras.phone
