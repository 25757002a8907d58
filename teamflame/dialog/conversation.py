"""Listens to everybody who writes to the bot or presses its buttons."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from supervisor.bots.chat import REFUSALS
from teamflame.dialog.actions import Action, ShowColumns, StartComment, read_action
from teamflame.dialog.screens import Screen, Screens
from teamflame.dialog.steps import Dialog, Step, Wish, understand
from teamflame.dialog.talk import DOING, Talk
from teamflame.errors import TeamFlameError
from teamflame.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.bots.chat import Chat, ChatMessage, ChatPress
    from teamflame.store.dialogs import Dialogs
    from teamflame.teamflame import TeamFlame

logger = logging.getLogger(__name__)


class Conversation:
    """Answers each event, in private chats only; everything it knows of a dialog is stored."""

    def __init__(self, teamflame: TeamFlame, dialogs: Dialogs, chat: Chat) -> None:
        self._teamflame = teamflame
        self._dialogs = dialogs
        self._chat = chat

    async def present(self) -> None:
        """Show the commands in each language, and the Mini App in the menu."""
        default = self._teamflame.config.language
        app_url = self._teamflame.app_url("")
        for language in ("", "en", "ru", "uk"):
            texts = texts_of(language or default)
            await self._chat.present(language, texts.commands, texts.menu, app_url)

    async def handle_message(self, message: ChatMessage) -> None:
        """React to a message and tell the person the outcome."""
        if message.chat_id != message.user_id:
            return
        talk = await self.talk(message.user_id, str(message.row))
        step, detail = await self._dialogs.get(message.user_id)
        if (step, detail) == (DOING, str(message.row)):
            await self._dialogs.save(message.user_id, Step.NOTHING, "")
            await talk.send(Screen(talk.texts.may_exist))
            return
        known = Dialog(Step(step), detail) if step in set(Step) else Dialog()
        meaning = understand(message.text, known)
        if meaning.wish is Wish.GIVE_PASSWORD:
            await self._hide(message, talk)
        try:
            await talk.fulfil(meaning, known)
        except TeamFlameError as exc:
            await self._dialogs.save(message.user_id, Step.NOTHING, "")
            await talk.send(talk.trouble(exc))

    async def handle_press(self, press: ChatPress) -> None:
        """React to a button, if it was made for the person who pressed it."""
        talk = await self.talk(press.user_id, str(press.row))
        found = await self._dialogs.find_button(press.data)
        if found is None:
            note = talk.texts.button_is_old
        elif found[0] != press.user_id or press.chat_id != press.user_id:
            note = talk.texts.not_yours
        else:
            note = await self._act(talk, press, read_action(found[1]))
        try:
            await self._chat.answer(press.query_id, note)
        except REFUSALS as exc:
            # The phone stops waiting by itself, and the message has changed anyway.
            logger.info("a pressed button was not answered: %s", exc)

    async def report_lost(self, users: Sequence[int], event: str) -> None:
        """Tell people once that they have to sign in again."""
        for user_id in users:
            talk = await self.talk(user_id, f"{event}:{user_id}")
            await talk.notify(Screens(talk.texts).sign_in_again())

    async def talk(self, user_id: int, event: str) -> Talk:
        """Begin a turn with a person, in their language."""
        languages = await self._teamflame.account_store.languages_of((user_id,))
        language = languages.get(user_id) or self._teamflame.config.language
        return Talk(self._teamflame, self._dialogs, self._chat, user_id, event, language)

    async def _act(self, talk: Talk, press: ChatPress, action: Action) -> str:
        """Carry out the action of a button; return the note to show for it."""
        try:
            screen = await talk.carry_out(action)
        except TeamFlameError as exc:
            return talk.trouble(exc).text
        if isinstance(action, StartComment | ShowColumns):
            await talk.send(screen)
            return ""
        keys = await talk.make_keys(screen)
        try:
            await self._chat.edit(press.chat_id, press.message_id, screen.text, keys)
        except REFUSALS as exc:
            logger.info("a message of the bot was not changed: %s", exc)
        return ""

    async def _hide(self, message: ChatMessage, talk: Talk) -> None:
        try:
            await self._chat.delete(message.chat_id, message.message_id)
        except REFUSALS:
            await talk.send(Screen(talk.texts.password_visible))
