"""How people register with a bot: what they write and press, and what they are told."""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from session_worker.protocol.bots import ButtonPress, HeardMessage, Stopped
from session_worker.protocol.outgoing import Button, Keyboard, Outgoing, Part
from supervisor.errors import GatewayError
from supervisor.store.people import Person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from session_worker.protocol.bots import HeardByBot
    from supervisor.bots.requests import BotRequests
    from supervisor.messages.message_service import Dispatchers
    from supervisor.store.heard import HeardRow
    from supervisor.store.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts in one language, and the name of the language in the language itself."""

    name: str
    welcome: str
    phone: str
    share: str
    registered: str
    back: str
    muted: str
    chosen: str
    start_first: str


LANGUAGES: Mapping[str, Texts] = {
    "en": Texts(
        name="English",
        welcome="Hello! I send you notifications. Choose your language.",
        phone="Please share your phone number with the button below, so that we know who you are.",
        share="Share my phone number",
        registered="Thank you, you are registered. /stop mutes me, /start brings me back.",
        back="You get notifications here again. /stop mutes me.",
        muted="I keep quiet now. /start brings me back.",
        chosen="The language is English.",
        start_first="Please write /start first.",
    ),
    "ru": Texts(
        name="Русский",
        welcome="Здравствуйте! Я присылаю уведомления. Выберите язык.",
        phone="Поделитесь номером телефона кнопкой ниже, чтобы мы знали, кто вы.",
        share="Поделиться номером телефона",
        registered="Спасибо, вы зарегистрированы. /stop отключает уведомления, /start включает их.",
        back="Уведомления снова приходят сюда. /stop отключает их.",
        muted="Уведомления отключены. /start включает их.",
        chosen="Выбран русский язык.",
        start_first="Сначала отправьте /start.",
    ),
    "uk": Texts(
        name="Українська",
        welcome="Вітаю! Я надсилаю сповіщення. Оберіть мову.",
        phone="Поділіться номером телефону за допомогою кнопки нижче, щоб ми знали, хто ви.",
        share="Поділитися номером телефону",
        registered="Дякуємо, вас зареєстровано. /stop вимикає сповіщення, /start вмикає їх.",
        back="Сповіщення знову надходять сюди. /stop вимикає їх.",
        muted="Сповіщення вимкнено. /start вмикає їх.",
        chosen="Обрано українську мову.",
        start_first="Спершу надішліть /start.",
    ),
}


_COMMAND = re.compile(r"/(start|stop|language)(?:@\w+)?(?:\s+(\S{1,64}))?\s*", re.IGNORECASE)
_CHOICE = "language:"


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to the person who registers."""

    text: str
    keyboard: Keyboard | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from something that a bot has heard.

    ``answer`` is the note with which a pressed button is answered.
    """

    person: Person | None = None
    replies: tuple[Reply, ...] = ()
    answer: str | None = None


def react(what: HeardByBot, known: Person | None, language: str) -> Reaction | None:
    """Decide what to do; None if this has nothing to do with registration."""
    match what:
        case HeardMessage() if what.chat_id != what.speaker.user_id:
            return None
        case HeardMessage(phone=str(phone)):
            return _register(replace(_person_of(what, known, language), phone=phone))
        case HeardMessage():
            return _react_to_text(what, known, language)
        case ButtonPress():
            return _react_to_press(what, known)
        case Stopped():
            person = known and replace(known, is_blocked=what.is_stopped)
            return Reaction(person)
        case _:
            assert_never(what)


def _react_to_text(what: HeardMessage, known: Person | None, language: str) -> Reaction | None:
    found = _COMMAND.fullmatch(what.text)
    if found is None:
        return None
    person, command, parameter = _person_of(what, known, language), found[1].lower(), found[2]
    texts = LANGUAGES[person.language]
    if command == "stop":
        return Reaction(replace(person, is_muted=True), (Reply(texts.muted),))
    if command == "language":
        return Reaction(person, (_language_question(texts),))
    person = replace(person, is_muted=False, is_blocked=False, alias=parameter or person.alias)
    if person.phone is not None:
        return Reaction(person, (Reply(texts.back),))
    return Reaction(person, (_language_question(texts), _phone_question(texts)))


def _react_to_press(what: ButtonPress, known: Person | None) -> Reaction | None:
    chosen = what.data.removeprefix(_CHOICE)
    if chosen == what.data or chosen not in LANGUAGES:
        return None
    texts = LANGUAGES[chosen]
    if known is None:
        return Reaction(answer=texts.start_first)
    person = replace(known, language=chosen)
    replies = (_phone_question(texts),) if person.phone is None else (Reply(texts.chosen),)
    return Reaction(person, replies, answer=texts.chosen)


def _register(person: Person) -> Reaction:
    texts = LANGUAGES[person.language]
    person = replace(person, is_muted=False, is_blocked=False)
    return Reaction(person, (Reply(texts.registered, Keyboard(kind="remove")),))


def _person_of(what: HeardMessage, known: Person | None, language: str) -> Person:
    """Return the person as they are called now; what they have said before stays."""
    speaker = what.speaker
    name = " ".join(part for part in (speaker.first_name, speaker.last_name) if part)
    person = known or Person(speaker.user_id, name, language)
    return replace(person, name=name, username=speaker.username)


def _language_question(texts: Texts) -> Reply:
    buttons = tuple(
        Button(text=each.name, data=f"{_CHOICE}{code}") for code, each in LANGUAGES.items()
    )
    return Reply(texts.welcome, Keyboard(rows=(buttons,)))


def _phone_question(texts: Texts) -> Reply:
    button = Button(text=texts.share, asks_contact=True)
    keyboard = Keyboard(kind="reply", rows=((button,),), fits_height=True, hides_after_use=True)
    return Reply(texts.phone, keyboard)


class RegistrationService:
    """Listens to all bots; it is asked last."""

    def __init__(
        self,
        store: Store,
        dispatchers: Dispatchers,
        requests: BotRequests,
        wait_handed_over: Callable[[str], Awaitable[None]],
    ) -> None:
        """Let `wait_handed_over` return when those who are muted get no more notifications of a bot."""
        self._store = store
        self._wait_handed_over = wait_handed_over
        self._dispatchers = dispatchers
        self._requests = requests

    async def handle(self, row: HeardRow) -> bool:
        """React to what concerns registration; the same row leads to the same messages again."""
        bot, what = row.bot, row.what
        known = await self._store.people.get(bot, row.person)
        language = (await self._store.bots.get(bot)).language
        reaction = react(what, known, language)
        if reaction is None:
            return False
        if isinstance(what, Stopped):
            await self._store.people.block(bot, what.user_id, is_blocked=what.is_stopped)
        elif reaction.person is not None:
            await self._store.people.save(bot, reaction.person)
            if reaction.person.muted:
                await self._wait_handed_over(bot)
        await self._write(row, reaction)
        if isinstance(what, ButtonPress):
            await self._answer(bot, what, reaction.answer or "")
        return True

    async def _write(self, row: HeardRow, reaction: Reaction) -> None:
        dispatcher = await self._dispatchers.of(row.bot)
        for place, reply in enumerate(reaction.replies):
            outgoing = _outgoing(f"bot:{row.row}:{place}", row.person, reply)
            await dispatcher.accept(outgoing)

    async def _answer(self, bot: str, press: ButtonPress, text: str) -> None:
        try:
            await self._requests.answer_press(bot, press.query_id, text)
        except GatewayError as error:
            # The phone stops waiting by itself, and the person sees the messages anyway.
            logger.info("bot %s: a pressed button was not answered: %s", bot, error)


def _outgoing(key: str, person: int, reply: Reply) -> Outgoing:
    part = Part(text=reply.text, marks=(), random_ids=(secrets.randbits(63) or 1,))
    return Outgoing(
        peer_id=person, planfix_id=key, parts=(part,), keyboard=reply.keyboard, connector="bot"
    )
