"""A bot in memory: chats whose messages a test reads, and people who write and press buttons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from supervisor.bots.chat import ChatMessage, ChatPress
from supervisor.errors import TelegramRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.bots.chat import ChatButton, ChatButtons
    from teamflame.dialog.conversation import Conversation


@dataclass(frozen=True)
class Shown:
    """A message of the bot."""

    message_id: int
    text: str
    keys: ChatButtons


@dataclass
class FakeMessenger:
    """Keeps what the bot writes, in the order of each chat."""

    is_here: bool = True
    may_delete: bool = True
    chats: dict[int, list[Shown]] = field(default_factory=dict)
    deleted: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    presented: dict[str, Mapping[str, str]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    notified: set[str] = field(default_factory=set)
    _ids: count[int] = field(default_factory=lambda: count(1))

    async def send(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        if key not in self.sent:
            self.sent.add(key)
            self.chats.setdefault(user_id, []).append(Shown(next(self._ids), text, buttons))

    async def notify(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        self.notified.add(text)
        await self.send(key, user_id, text, buttons)

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: ChatButtons = ()
    ) -> None:
        chat = self.chats[chat_id]
        place = next(i for i, each in enumerate(chat) if each.message_id == message_id)
        chat[place] = replace(chat[place], text=text, keys=buttons)

    async def delete(self, chat_id: int, message_id: int) -> None:
        if not self.may_delete:
            raise TelegramRefused("MESSAGE_DELETE_FORBIDDEN")
        self.deleted.append(message_id)

    async def answer(self, query_id: int, text: str = "") -> None:
        self.notes.append(text)

    async def present(
        self, language: str, commands: Mapping[str, str], menu_text: str, menu_url: str
    ) -> None:
        self.presented[language] = commands


_rows = count(1)


@dataclass
class Phone:
    """The phone of one person, with their chat with the bot."""

    messenger: FakeMessenger
    conversation: Conversation
    user_id: int

    @property
    def chat(self) -> list[Shown]:
        return self.messenger.chats.get(self.user_id, [])

    @property
    def text(self) -> str:
        """The newest message of the bot."""
        return self.chat[-1].text

    @property
    def labels(self) -> list[str]:
        return [key.text for row in self.chat[-1].keys for key in row]

    async def write(self, text: str, *, row: int | None = None, chat_id: int | None = None) -> str:
        """Write to the bot; return what its newest message then says."""
        number = next(_rows)
        where = self.user_id if chat_id is None else chat_id
        written = ChatMessage(number if row is None else row, self.user_id, where, number, text)
        await self.conversation.handle_message(written)
        return self.chat[-1].text if self.chat else ""

    async def press(self, label: str, by: Phone | None = None) -> str:
        """Press a button of the newest message; return what that message then says."""
        key = self.key(label)
        assert key.data is not None, f"{label} opens the Mini App"
        await (by or self).press_data(key.data, self.chat[-1].message_id)
        return self.chat[-1].text

    async def press_data(self, data: str, message_id: int, *, chat_id: int | None = None) -> str:
        """Press whatever button; return the note that pops up."""
        where = self.user_id if chat_id is None else chat_id
        pressed = ChatPress(next(_rows), self.user_id, where, message_id, 1, data)
        await self.conversation.handle_press(pressed)
        return self.messenger.notes[-1]

    def key(self, label: str) -> ChatButton:
        for row in self.chat[-1].keys:
            for key in row:
                if label in key.text:
                    return key
        raise AssertionError(f"no button {label} among {self.labels}")
