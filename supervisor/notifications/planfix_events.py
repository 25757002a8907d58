"""Turns what happened in Planfix into notifications, once and without echoes of our own comments."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from supervisor.notifications.notice import Manner, make_notice
from supervisor.notifications.notification_service import Accepted, Wording
from supervisor.notifications.planfix_comments import PlanfixRefused
from supervisor.notifications.planfix_event import REPEATED_WITHIN, keyboard_of, text_key

if TYPE_CHECKING:
    from supervisor.notifications.notification_service import NotificationService
    from supervisor.notifications.planfix_comments import Comment, PlanfixComments
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.store.store import Store

NOTHING = Accepted(None, 0, ())

logger = logging.getLogger(__name__)


class PlanfixEvents:
    """The events of all accounts."""

    def __init__(
        self, store: Store, notifications: NotificationService, comments: PlanfixComments
    ) -> None:
        self._store = store
        self._notifications = notifications
        self._comments = comments

    async def accept(self, number: str, event: PlanfixEvent) -> Accepted:
        """Store the notification of an event; a repeated event is the same notification."""
        now = time.time()
        earlier = await self._earlier(number, event, now)
        if earlier is not None:
            return earlier
        can_ask = await self._comments.has_key(number)
        fields = dict(event.fields)
        if can_ask and event.is_comment and event.comment:
            comment = await self._look_up(number, event.comment)
            if comment is not None and comment.is_hidden:
                return NOTHING
            # What Planfix does not confirm may be hidden, so it is not passed on.
            fields["text"] = comment.text if comment else ""
            fields["author"] = (comment and comment.author) or fields["author"]
        sender = await self._notifications.sender_of(number)
        url_planfix = (await self._store.numbers.get(number)).url_planfix
        manner = Manner(
            keyboard=keyboard_of(event, url_planfix, sender.language, can_answer=can_ask),
            dedup_key=event.dedup_key(now),
        )
        wording = Wording(template=event.template, data=fields)
        text = await self._notifications.word(sender, wording)
        notice = make_notice(text, [], manner)
        notice = notice.changed(rejected=event.rejected, task=event.task if can_ask else "")
        return await self._notifications.notify(sender, event.recipients, notice, manner)

    async def _look_up(self, number: str, comment: str) -> Comment | None:
        try:
            return await self._comments.read(number, comment)
        except PlanfixRefused as error:
            logger.warning("bot %s: comment %s could not be read: %s", number, comment, error)
            return None

    async def _earlier(self, number: str, event: PlanfixEvent, now: float) -> Accepted | None:
        """Return the answer of a call that this one repeats, or that we caused ourselves."""
        before = now - REPEATED_WITHIN
        for key in (event.dedup_key(now), event.dedup_key(before)):
            found = await self._notifications.find_repeat(number, key)
            if found is not None:
                return found
        if event.is_comment:
            for moment in (now, before):
                key = text_key(event.task, event.fields["text"], moment)
                if await self._notifications.find_repeat(number, key) is not None:
                    return NOTHING
        return None
