"""Carries out what registering with a bot leads to: stores the person, writes to them, answers buttons."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from session_worker.protocol.bots import AnswerPress, ButtonPress, Stopped
from session_worker.protocol.outgoing import Outgoing, Part
from supervisor.contacts.registration import react
from supervisor.errors import GatewayError

if TYPE_CHECKING:
    from supervisor.bots.requests import BotRequests
    from supervisor.contacts.registration import Reaction, Reply
    from supervisor.messages.dispatchers import Dispatchers
    from supervisor.store.heard import HeardRow
    from supervisor.store.store import Store

logger = logging.getLogger(__name__)


class RegistrationService:
    """Listens to all bots; it is asked last."""

    def __init__(self, store: Store, dispatchers: Dispatchers, requests: BotRequests) -> None:
        self._store = store
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
            await self._requests.ask(
                bot, lambda i: AnswerPress(request_id=i, query_id=press.query_id, text=text)
            )
        except GatewayError as error:
            # The phone stops waiting by itself, and the person sees the messages anyway.
            logger.info("bot %s: a pressed button was not answered: %s", bot, error)


def _outgoing(key: str, person: int, reply: Reply) -> Outgoing:
    part = Part(text=reply.text, marks=(), random_ids=(secrets.randbits(63) or 1,))
    return Outgoing(
        peer_id=person, planfix_id=key, parts=(part,), keyboard=reply.keyboard, connector="bot"
    )
