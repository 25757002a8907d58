"""What the dialog and the notifications need from a bot; the only way from here to Telegram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Key:
    """A button as Telegram gets it: opaque data, or the address of the Mini App."""

    text: str
    data: str | None = None
    web_app: str | None = None


Keys = tuple[tuple[Key, ...], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a person; `row` is the same if it is handed over again."""

    row: int
    user_id: int
    chat_id: int
    message_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that a person has pressed; `row` is the same if it is handed over again."""

    row: int
    user_id: int
    chat_id: int
    message_id: int
    query_id: int
    data: str


class MessengerRefused(Exception):
    """Telegram did not do it; what was sent or stored stays."""


class Messenger(Protocol):
    """A bot in Telegram."""

    @property
    def is_here(self) -> bool:
        """Whether this node runs the bot."""

    async def send(self, key: str, user_id: int, text: str, keys: Keys = ()) -> None:
        """Send a message durably; the same key sends nothing again."""

    async def edit(self, chat_id: int, message_id: int, text: str, keys: Keys = ()) -> None:
        """Change a message of the bot's."""

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message for both sides."""

    async def answer(self, query_id: int, text: str = "") -> None:
        """Answer a pressed button, with a note if there is a text."""

    async def present(
        self, language: str, commands: Mapping[str, str], menu: str, app_url: str
    ) -> None:
        """Show the commands of a language, and the Mini App in the menu."""
