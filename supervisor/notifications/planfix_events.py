"""Turns what happened in Planfix into notifications, once and without echoes of our own comments."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from supervisor.errors import DatabaseError, GatewayError, NotificationUnknown, SealBroken
from supervisor.notifications.notice import Manner, Notice, beside_loop, make_notice
from supervisor.notifications.notification_service import Wording
from supervisor.notifications.outcome import Accepted
from supervisor.notifications.planfix_event import (
    REPEATED_WITHIN,
    fitting,
    keyboard_of,
    own_comment_key,
    read_event,
    text_key,
)
from supervisor.notifications.planfix_facts import (
    ASKED_AGAIN,
    Lack,
    facts_of,
    wait_of,
)
from supervisor.notifications.recipient_lookup import Found

if TYPE_CHECKING:
    from supervisor.notifications.notification_service import NotificationService, Sender
    from supervisor.notifications.planfix_accounts import PlanfixAccounts
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.notifications.planfix_facts import Facts, PlanfixFacts, Wait
    from supervisor.store.store import Store
    from supervisor.store.values import Lookup

logger = logging.getLogger(__name__)


NOTHING = Accepted(None, 0, ())
NOBODY = Found((), ())


class PutOff(NamedTuple):
    """Up to which event a bot's events are put off, and until when."""

    last: Lookup
    until: float


class PlanfixEvents:
    """The events of all accounts."""

    def __init__(
        self,
        store: Store,
        notifications: NotificationService,
        accounts: PlanfixAccounts,
        facts: PlanfixFacts,
    ) -> None:
        self._store = store
        self._notifications = notifications
        self._accounts = accounts
        self._facts = facts
        self._put_off: dict[str, PutOff] = {}
        notifications.lookup.chore = self._finish_next

    async def accept(self, number: str, event: PlanfixEvent) -> Accepted:
        """Store the notification of an event; a repeated event is the same notification.

        What has to be asked of Planfix, or cannot be looked up in Telegram now, is asked later.
        """
        now = time.time()
        earlier = await self._earlier(number, event, now)
        if earlier is not None:
            return earlier
        sender = await self._notifications.sender_of(number)
        key = event.dedup_key(now)
        unfinished = Notice(event=event.given, rejected=event.rejected)
        if await self._accounts.can_read(number):
            stored = await self._notifications.store_unfinished(sender, unfinished, key)
            return Accepted(stored, len(event.recipients), event.rejected)
        notice = await self._word(sender, event, facts_of(event))
        return await self._notifications.notify(
            sender, event.recipients, notice, Manner(dedup_key=key), unfinished=unfinished
        )

    async def _finish_next(self, number: str) -> float | None:
        """Complete the oldest event that is not put off; return the seconds until there is more to do."""
        put_off = self._put_off_now(number)
        oldest = await self._store.notifications.next_for_lookup(number, put_off and put_off.last)
        if oldest is None:
            return put_off and max(0.0, put_off.until - time.monotonic())
        sender = await self._notifications.sender_of(number)
        event = await self._read(number, oldest.id)
        if event is None:  # given up, so that it holds up no other event
            await self._notifications.finish_stored(number, oldest.id, NOBODY, Notice())
            return 0.0
        age = time.time() - oldest.created.timestamp()
        wait = await self._finish(sender, oldest.id, event, age)
        if wait is None:
            return 0.0
        if wait.holds_others:
            return wait.seconds
        until = put_off.until if put_off else time.monotonic() + wait.seconds
        self._put_off[number] = PutOff(oldest, until)
        return 0.0

    def _put_off_now(self, number: str) -> PutOff | None:
        """Return which events are put off, unless it is time to look at all of them again."""
        put_off = self._put_off.get(number)
        if put_off is None or time.monotonic() < put_off.until:
            return put_off
        del self._put_off[number]
        return None

    async def _read(self, number: str, identifier: str) -> PlanfixEvent | None:
        try:
            body = await self._store.notifications.body(number, identifier)
            return read_event(json.loads(Notice.model_validate_json(body).event))
        except (NotificationUnknown, SealBroken, ValueError) as error:
            logger.error("bot %s: an event of Planfix cannot be read: %s", number, error)  # noqa: TRY400 - no bug of ours
            return None

    async def _finish(
        self, sender: Sender, identifier: str, event: PlanfixEvent, age: float
    ) -> Wait | None:
        """Complete an event and hand it over to be sent, unless it has to wait."""
        number, facts = sender.number, facts_of(event)
        if await self._accounts.can_read(number):
            facts = await self._facts.complete(number, event)
        if wait := wait_of(facts.lack, age, self._accounts.rests_for(number)):
            return wait
        notice, found = await self._notice(sender, event, facts), NOBODY
        if notice is not None:
            found = await self._notifications.find(sender, facts.recipients)
            if wait := wait_of(_lack_of(found), age, ASKED_AGAIN):
                return wait
            if facts.lack is Lack.RECIPIENTS and not found.recipients:
                logger.error("bot %s: Planfix did not tell whom an event is for", number)
        notice = notice or Notice(rejected=facts.rejected)
        await self._notifications.finish_stored(number, identifier, found, notice)
        return None

    async def _notice(self, sender: Sender, event: PlanfixEvent, facts: Facts) -> Notice | None:
        """Return what people are told, or None if they are not to be told."""
        if facts.is_hidden or await self._is_ours(sender.number, event, facts):
            return None
        try:
            return await self._word(sender, event, facts)
        except DatabaseError:
            raise
        except GatewayError as error:  # a template of the bot's own that does not fit
            logger.warning("bot %s: an event of Planfix was dropped: %s", sender.number, error)
            return None

    async def _word(self, sender: Sender, event: PlanfixEvent, facts: Facts) -> Notice:
        can_answer = await self._accounts.can_comment(sender.number)
        url = (await self._store.numbers.get(sender.number)).url_planfix
        url = url or await self._accounts.address(sender.number)
        keyboard = keyboard_of(event, url, sender.language, can_answer=can_answer)
        wording = Wording(template=event.template, data=fitting(facts.fields))
        text = await self._notifications.word(sender, wording)
        manner = Manner(keyboard=keyboard)
        notice = await beside_loop(len(text.text), make_notice, text, [], manner)
        return notice.changed(rejected=facts.rejected, task=event.task if can_answer else "")

    async def _earlier(self, number: str, event: PlanfixEvent, now: float) -> Accepted | None:
        """Return the answer to the call that this one repeats, or no notification if we caused it."""
        for key in (event.dedup_key(now), event.dedup_key(now - REPEATED_WITHIN)):
            found = await self._notifications.find_repeat(number, key)
            if found is not None:
                return found
        return NOTHING if await self._is_ours(number, event, facts_of(event)) else None

    async def _is_ours(self, number: str, event: PlanfixEvent, facts: Facts) -> bool:
        """Whether the event reports a comment that the bot itself has written."""
        now = time.time()
        keys: list[str] = []
        if event.comment and event.may_be_comment:
            keys.append(own_comment_key(event.task, event.comment))
        if event.is_comment:
            text = facts.fields["text"]
            keys += [text_key(event.task, text, each) for each in (now, now - REPEATED_WITHIN)]
        for key in keys:
            if await self._notifications.find_repeat(number, key) is not None:
                return True
        return False


def _lack_of(found: Found) -> Lack:
    if not found.is_open:
        return Lack.NOTHING
    return Lack.PART if found.recipients else Lack.RECIPIENTS
