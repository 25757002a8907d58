"""What is plugged in beside the gateway's own uses may ask of a bot, and hears from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from supervisor.errors import TelegramRefused, WorkerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS: Final = (TelegramRefused, WorkerUnavailable)
"""What `edit`, `delete`, `answer` and `present` raise; what was sent or stored stays."""


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
        """Store an answer to be sent at once, and once however often it is given under this key."""

    async def notify(self, key: str, user_id: int, text: str, buttons: ChatButtons = ()) -> None:
        """Store what nobody has asked for, to be sent once, as fast as Telegram's limits allow."""

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: ChatButtons = ()
    ) -> None:
        """Change a message of the bot's."""

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message for both sides."""

    async def answer(self, query_id: int, text: str = "") -> None:
        """Answer a pressed button, with a note if there is a text."""

    async def present(
        self, language: str, commands: Mapping[str, str], menu_text: str, menu_url: str
    ) -> None:
        """Show the commands of a language and, for all languages, the Mini App in the menu."""
