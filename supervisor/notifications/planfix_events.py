"""Turns what happened in Planfix into notifications, once and without echoes of our own comments."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from supervisor.errors import DatabaseError, GatewayError
from supervisor.notifications.notice import Manner, Notice, make_notice
from supervisor.notifications.notification_service import Wording
from supervisor.notifications.outcome import Accepted
from supervisor.notifications.planfix_event import (
    REPEATED_WITHIN,
    keyboard_of,
    read_event,
    text_key,
)
from supervisor.notifications.planfix_facts import Facts, PlanfixFacts

if TYPE_CHECKING:
    from supervisor.notifications.notification_service import NotificationService, Sender
    from supervisor.notifications.planfix_accounts import PlanfixAccounts
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.store.store import Store

NOTHING = Accepted(None, 0, ())

logger = logging.getLogger(__name__)


class PlanfixEvents:
    """The events of all accounts."""

    def __init__(
        self, store: Store, notifications: NotificationService, accounts: PlanfixAccounts
    ) -> None:
        self._store = store
        self._notifications = notifications
        self._accounts = accounts
        self._facts = PlanfixFacts(accounts, store.people)
        notifications.lookup.finish_oldest = self._finish_oldest

    async def accept(self, number: str, event: PlanfixEvent) -> Accepted:
        """Store the notification of an event; a repeated event is the same notification.

        Planfix does not wait while it is asked for the rest: that happens after the answer.
        """
        now = time.time()
        earlier = await self._earlier(number, event, now)
        if earlier is not None:
            return earlier
        sender = await self._notifications.sender_of(number)
        key = event.dedup_key(now)
        if await self._accounts.can_read(number):
            notice = Notice(event=event.given, rejected=event.rejected)
            stored = await self._notifications.store_unfinished(sender, notice, key)
            return Accepted(stored, len(event.recipients), event.rejected)
        facts = Facts(dict(event.fields), event.recipients, event.rejected)
        notice = await self._word(sender, event, facts)
        return await self._notifications.notify(
            sender, event.recipients, notice, Manner(dedup_key=key)
        )

    async def _finish_oldest(self, number: str) -> bool:
        """Complete the oldest event that waits; return whether there was one."""
        identifier = await self._store.notifications.next_for_lookup(number)
        if identifier is None:
            return False
        body = await self._store.notifications.body(number, identifier)
        event = read_event(json.loads(Notice.model_validate_json(body).event))
        sender = await self._notifications.sender_of(number)
        facts = await self._facts.complete(number, event)
        notice = Notice(rejected=facts.rejected)
        is_told = not facts.is_hidden and not await self._is_ours(number, event, facts)
        if is_told:
            try:
                notice = await self._word(sender, event, facts)
            except DatabaseError:
                raise
            except GatewayError as error:  # a template of the bot's own that does not fit
                logger.warning("bot %s: an event of Planfix was dropped: %s", number, error)
                is_told = False
        recipients = facts.recipients if is_told else ()
        await self._notifications.finish_stored(sender, identifier, recipients, notice)
        return True

    async def _word(self, sender: Sender, event: PlanfixEvent, facts: Facts) -> Notice:
        can_answer = await self._accounts.can_comment(sender.number)
        url = (await self._store.numbers.get(sender.number)).url_planfix
        if not url and can_answer:
            url = (await self._store.bots.get(sender.number)).planfix_rest_url or ""
        keyboard = keyboard_of(event, url, sender.language, can_answer=can_answer)
        wording = Wording(template=event.template, data=facts.fields)
        text = await self._notifications.word(sender, wording)
        notice = make_notice(text, [], Manner(keyboard=keyboard))
        return notice.changed(rejected=facts.rejected, task=event.task if can_answer else "")

    async def _earlier(self, number: str, event: PlanfixEvent, now: float) -> Accepted | None:
        """Return the answer of a call that this one repeats, or that we caused ourselves."""
        for key in (event.dedup_key(now), event.dedup_key(now - REPEATED_WITHIN)):
            found = await self._notifications.find_repeat(number, key)
            if found is not None:
                return found
        facts = Facts(dict(event.fields))
        return NOTHING if await self._is_ours(number, event, facts) else None

    async def _is_ours(self, number: str, event: PlanfixEvent, facts: Facts) -> bool:
        """Whether the event reports a comment that the bot itself has written."""
        if not event.is_comment:
            return False
        now = time.time()
        for moment in (now, now - REPEATED_WITHIN):
            key = text_key(event.task, facts.fields["text"], moment)
            if await self._notifications.find_repeat(number, key) is not None:
                return True
        return False
