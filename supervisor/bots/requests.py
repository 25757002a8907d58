"""Questions to the worker of a bot: edits, deletions, answers to pressed buttons, its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.bots import (
    AnswerPress,
    DeleteMessages,
    EditMessage,
    PresentBot,
)
from supervisor.errors import TelegramRefused, WorkerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_worker.protocol.bots import BotCommand, BotRequest
    from session_worker.protocol.outgoing import Keyboard, Mark
    from supervisor.numbers.keepers import Keepers


class BotRequests:
    """Asks the worker of a bot for something, and waits until Telegram has done it."""

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    async def ask(self, bot: str, make: Callable[[int], BotRequest]) -> None:
        """Raise TelegramRefused if Telegram refuses, WorkerUnavailable if the bot does not run here."""
        keeper = self._keepers.find(bot)
        if keeper is None:
            raise WorkerUnavailable
        done = await keeper.ask(make)
        if done.failure is not None:
            raise TelegramRefused(done.failure, done.retry_after)

    async def edit(  # noqa: PLR0913 - what the method of the Bot API takes
        self,
        bot: str,
        chat_id: int,
        message_id: int,
        text: str | None,
        marks: Sequence[Mark] = (),
        keyboard: Keyboard | None = None,
        *,
        without_preview: bool = False,
    ) -> None:
        """Change a message that the bot has sent; without a text, only its buttons."""
        await self.ask(
            bot,
            lambda request_id: EditMessage(
                request_id=request_id,
                peer_id=chat_id,
                message_id=message_id,
                text=text,
                marks=tuple(marks),
                keyboard=keyboard,
                without_preview=without_preview,
            ),
        )

    async def delete(self, bot: str, chat_id: int, message_ids: Sequence[int]) -> None:
        """Delete messages for both sides; raise TelegramRefused with NOT_IN_CHAT if there are none."""
        await self.ask(
            bot,
            lambda request_id: DeleteMessages(
                request_id=request_id, peer_id=chat_id, message_ids=tuple(message_ids)
            ),
        )

    async def answer_press(self, bot: str, query_id: int, text: str = "") -> None:
        """Answer a pressed button; Telegram refuses an answer that comes too late."""
        await self.ask(
            bot,
            lambda request_id: AnswerPress(request_id=request_id, query_id=query_id, text=text),
        )

    async def present(
        self,
        bot: str,
        commands: Sequence[BotCommand],
        *,
        language: str = "",
        menu_text: str = "",
        menu_url: str | None = None,
    ) -> None:
        """Set the commands in a language or, without one, those for all others and the menu button."""
        await self.ask(
            bot,
            lambda request_id: PresentBot(
                request_id=request_id,
                commands=tuple(commands),
                language=language,
                menu_text=menu_text,
                menu_url=menu_url,
            ),
        )
