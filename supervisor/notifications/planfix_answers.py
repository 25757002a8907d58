"""Turns answers to notifications into comments of the tasks that they were about."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from session_worker.protocol.bots import ButtonPress, HeardMessage
from session_worker.protocol.outgoing import Keyboard
from supervisor.errors import NotificationUnknown, TelegramRefused, WorkerUnavailable
from supervisor.notifications.formatting.marked_text import MarkedText
from supervisor.notifications.notice import Manner, Notice, make_notice
from supervisor.notifications.planfix_accounts import PlanfixRefused
from supervisor.notifications.planfix_event import ANSWER_PREFIX, own_comment_key, text_key
from supervisor.notifications.recipients import Address, AddressKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from supervisor.notifications.notification_service import NotificationService
    from supervisor.notifications.planfix_accounts import PlanfixAccounts
    from supervisor.store.heard import HeardRow

    AnswerPress = Callable[[str, int], Awaitable[None]]

_PROMPT: Final[Mapping[str, str]] = {
    "en": "Write your answer to task #{task}.",
    "ru": "Напишите ответ к задаче #{task}.",
    "uk": "Напишіть відповідь до завдання #{task}.",
}
_ADDED: Final[Mapping[str, str]] = {
    "en": "Added to task #{task}.",
    "ru": "Добавлено в задачу #{task}.",
    "uk": "Додано до завдання #{task}.",
}
_REFUSED: Final[Mapping[str, str]] = {
    "en": "Planfix did not accept the answer to task #{task}.",
    "ru": "ПланФикс не принял ответ к задаче #{task}.",
    "uk": "ПланФікс не прийняв відповідь до завдання #{task}.",
}

PAUSES = (0.5, 2.0)  # seconds before a message is looked for again

logger = logging.getLogger(__name__)


class PlanfixAnswers:
    """Handles the answers of people; anything else is for other listeners."""

    def __init__(
        self,
        notifications: NotificationService,
        accounts: PlanfixAccounts,
        answer_press: AnswerPress,
    ) -> None:
        self._notifications = notifications
        self._accounts = accounts
        self._answer_press = answer_press

    async def handle(self, row: HeardRow) -> bool:
        match row.what:
            case ButtonPress(data=data) as press if data.startswith(ANSWER_PREFIX):
                await self._ask_for_answer(row, press)
                return True
            case HeardMessage(reply_to=int(reply_to), text=text) as message if text.strip():
                task = await self._task_of(row.bot, message.chat_id, reply_to)
                if not task:
                    return False
                await self._add(row, message, task)
                return True
            case _:
                return False

    async def _ask_for_answer(self, row: HeardRow, press: ButtonPress) -> None:
        # The pressed message says which task it is: anybody can send a press with data of their own.
        task = await self._task_of(row.bot, press.chat_id, press.message_id)
        try:
            await self._answer_press(row.bot, press.query_id)
        except (TelegramRefused, WorkerUnavailable) as error:
            logger.info("bot %s: a pressed button was not answered: %s", row.bot, error)
        if not task or press.data != f"{ANSWER_PREFIX}{task}":
            return
        prompt = Manner(keyboard=Keyboard(kind="force_reply"), dedup_key=f"prompt:{row.row}")
        await self._report(row.bot, press.chat_id, _PROMPT, task, prompt)

    async def _task_of(self, bot: str, chat_id: int, message_id: int) -> str:
        """Find the task; an answer may come before the id of the answered message is stored."""
        for pause in (*PAUSES, None):
            try:
                return (await self._notifications.find_sent(bot, chat_id, message_id)).task
            except NotificationUnknown:
                if pause is None or not await self._accounts.can_comment(bot):
                    break
                await asyncio.sleep(pause)
        return ""

    async def _add(self, row: HeardRow, message: HeardMessage, task: str) -> None:
        """Write the comment once, though this may be called again after a crash."""
        name = f"{message.speaker.first_name} {message.speaker.last_name}".strip()
        text = f"{name or message.speaker.username or row.person}: {message.text}"
        # The key is not made from the text, because people answer "yes" more than once.
        begun = f"answering:{row.row}"
        is_repeat = await self._notifications.find_repeat(row.bot, begun) is not None
        await self._remember(row.bot, begun)
        await self._remember(row.bot, text_key(task, text, time.time()))
        chat, key = message.chat_id, Manner(dedup_key=f"answered:{row.row}")
        try:
            comment = await self._accounts.write(row.bot, task, text, is_repeat=is_repeat)
        except PlanfixRefused as error:
            logger.warning("bot %s: an answer to task %s failed: %s", row.bot, task, error)
            if not error.is_final:
                raise  # it is tried again
            await self._report(row.bot, chat, _REFUSED, task, key)
            return
        if comment is not None:
            await self._remember(row.bot, own_comment_key(task, str(comment)))
        await self._report(row.bot, chat, _ADDED, task, key)

    async def _remember(self, bot: str, key: str) -> None:
        """Remember a comment of ours, so that nobody is notified when a script reports it."""
        sender = await self._notifications.sender_of(bot)
        await self._notifications.notify(sender, [], Notice(), Manner(dedup_key=key))

    async def _report(
        self, bot: str, chat_id: int, texts: Mapping[str, str], task: str, manner: Manner
    ) -> None:
        sender = await self._notifications.sender_of(bot)
        text = MarkedText(texts.get(sender.language, texts["en"]).format(task=task))
        notice = make_notice(text, [], manner).changed(task=task)
        address = Address(str(chat_id), AddressKind.CHAT, str(chat_id))
        await self._notifications.notify(sender, [address], notice, manner)
