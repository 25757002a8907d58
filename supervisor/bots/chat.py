"""A bot as a chat partner: what a part beside the gateway, such as TeamFlame, asks of it and hears from it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from session_worker.protocol.bots import NOT_IN_CHAT, BotCommand, ButtonPress, HeardMessage
from session_worker.protocol.outgoing import Button, Keyboard, Outgoing, Part
from supervisor.errors import TelegramRefused, WorkerUnavailable
from supervisor.notifications.formatting.marked_text import MarkedText
from supervisor.notifications.notice import Manner, make_notice
from supervisor.notifications.recipients import Address, AddressKind
from supervisor.numbers.state import State
from supervisor.store.people import Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_worker.protocol.bots import Speaker
    from supervisor.bots.requests import BotRequests
    from supervisor.notifications.notification_service import NotificationService
    from supervisor.numbers.keepers import Keepers
    from supervisor.store.heard import HeardRow
    from supervisor.store.people import People


REFUSALS: Final = (TelegramRefused, WorkerUnavailable)
"""What `edit`, `delete`, `answer` and `present` raise if Telegram refuses, or if the bot does not run here."""


class ChatButton(NamedTuple):
    """A button under a message: opaque data, or the address of a Mini App."""

    text: str
    data: str | None = None
    web_app: str | None = None


ChatButtons = tuple[tuple[ChatButton, ...], ...]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """What a person wrote; `row` is the same if it is handed over again."""

    row: int
    user_id: int
    chat_id: int
    message_id: int
    text: str


@dataclass(frozen=True, slots=True)
class ChatPress:
    """A button that a person has pressed; `row` is the same if it is handed over again."""

    row: int
    user_id: int
    chat_id: int
    message_id: int
    query_id: int
    data: str


class ChatListener(Protocol):
    """Somebody who answers everything that is written to a bot."""

    async def handle_message(self, message: ChatMessage) -> None:
        """Deal with a message; an error means that it comes again."""

    async def handle_press(self, press: ChatPress) -> None:
        """Deal with a pressed button; an error means that it comes again."""


class Chat(Protocol):
    """A bot as a chat partner."""

    @property
    def is_here(self) -> bool:
        """Whether this node runs the bot."""

    async def send(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        """Store an answer, which is sent at once, and only once however often it has this key."""

    async def notify(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        """Store what nobody has asked for, to be sent once, as fast as Telegram's limits allow."""

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: ChatButtons = ()
    ) -> None:
        """Change a message that the bot has sent."""

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message for both sides."""

    async def answer(self, query_id: int, text: str = "") -> None:
        """Answer a pressed button, with a note if there is a text."""

    async def present(
        self, language: str, commands: Mapping[str, str], menu_text: str, menu_url: str
    ) -> None:
        """Set the commands in a language or, without one, those for all others and the menu button."""


_NOT_HERE = frozenset({State.STOPPED, State.PARKED})


class BotChat:
    """A `Chat` that writes as one bot, and hands over what the bot hears."""

    def __init__(
        self,
        bot: str,
        language: str,
        keepers: Keepers,
        requests: BotRequests,
        people: People,
        notifications: NotificationService,
    ) -> None:
        self.bot = bot
        self._language = language
        self._keepers = keepers
        self._requests = requests
        self._people = people
        self._notifications = notifications
        self._listener: ChatListener | None = None

    @property
    def is_here(self) -> bool:
        keeper = self._keepers.find(self.bot)
        return keeper is not None and keeper.live_state.state not in _NOT_HERE

    def listen(self, listener: ChatListener | None) -> None:
        """Hand everything over to this listener from now on; nobody else is asked."""
        self._listener = listener

    async def handle(self, row: HeardRow) -> bool:
        """Hand over what people wrote or pressed; registration handles that they block the bot."""
        what, listener = row.what, self._listener
        if row.bot != self.bot or listener is None:
            return False
        if isinstance(what, HeardMessage):
            person = what.speaker.user_id
            await self._register(what.speaker)
            message = ChatMessage(row.row, person, what.chat_id, what.message_id, what.text)
            await listener.handle_message(message)
            return True
        if isinstance(what, ButtonPress):
            place = (what.user_id, what.chat_id, what.message_id)
            await listener.handle_press(ChatPress(row.row, *place, what.query_id, what.data))
            return True
        return False

    async def send(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        """Store an answer, unless the person blocks the bot and has not written to it since then."""
        person = await self._people.get(self.bot, user_id)
        if person is not None and person.is_blocked:
            return
        part = Part(text=text, marks=(), random_ids=(secrets.randbits(63) or 1,))
        outgoing = Outgoing(
            peer_id=user_id,
            planfix_id=key,
            parts=(part,),
            keyboard=_keyboard(buttons),
            connector="bot",
        )
        dispatcher = await self._keepers.dispatchers.of(self.bot)
        await dispatcher.accept(outgoing)

    async def notify(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        manner = Manner(keyboard=_keyboard(buttons), dedup_key=key)
        address = Address(str(user_id), AddressKind.CHAT, str(user_id))
        sender = await self._notifications.sender_of(self.bot)
        notice = make_notice(MarkedText(text), (), manner)
        await self._notifications.notify(sender, [address], notice, manner)

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: ChatButtons = ()
    ) -> None:
        await self._requests.edit(self.bot, chat_id, message_id, text, keyboard=_keyboard(buttons))

    async def delete(self, chat_id: int, message_id: int) -> None:
        try:
            await self._requests.delete(self.bot, chat_id, [message_id])
        except TelegramRefused as error:
            if error.code != NOT_IN_CHAT:  # otherwise somebody else has deleted it already
                raise

    async def answer(self, query_id: int, text: str = "") -> None:
        await self._requests.answer_press(self.bot, query_id, text)

    async def present(
        self, language: str, commands: Mapping[str, str], menu_text: str, menu_url: str
    ) -> None:
        shown: Sequence[BotCommand] = [
            BotCommand(name=name, description=words) for name, words in commands.items()
        ]
        await self._requests.present(
            self.bot,
            shown,
            language=language,
            menu_text="" if language else menu_text,
            menu_url=None if language else menu_url,
        )

    async def _register(self, speaker: Speaker) -> None:
        """Remember who uses the bot; somebody who writes to it does not block it any more."""
        known = await self._people.get(self.bot, speaker.user_id)
        if known is None or not known.name:
            name = f"{speaker.first_name} {speaker.last_name}".strip()
            new = Person(speaker.user_id, name, self._language, username=speaker.username)
            await self._people.save(self.bot, new)
        elif known.is_blocked:
            await self._people.block(self.bot, speaker.user_id, is_blocked=False)


def _keyboard(buttons: ChatButtons) -> Keyboard | None:
    if not buttons:
        return None
    rows = tuple(
        tuple(Button(text=each.text, data=each.data, web_app=each.web_app) for each in row)
        for row in buttons
    )
    return Keyboard(rows=rows)
