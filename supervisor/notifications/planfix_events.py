"""Turns what happened in Planfix into notifications, once and without echoes of our own comments."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from supervisor.errors import AddressMalformed, DatabaseError, GatewayError, SealBroken
from supervisor.notifications.notice import (
    Manner,
    Notice,
    Rejected,
    beside_loop,
    make_notice,
)
from supervisor.notifications.notification_service import Wording
from supervisor.notifications.outcome import Accepted
from supervisor.notifications.planfix_accounts import PlanfixRefused
from supervisor.notifications.planfix_event import (
    MOST_RECIPIENTS,
    REPEATED_WITHIN,
    fitting,
    keyboard_of,
    own_comment_key,
    plain_text,
    read_event,
    text_key,
)
from supervisor.notifications.recipient_lookup import UNKNOWN
from supervisor.notifications.recipients import Address, AddressKind, parse_loosely, parse_phone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from session_worker.planfix.rest import RestPerson, RestTask
    from supervisor.notifications.notification_service import NotificationService, Sender
    from supervisor.notifications.planfix_accounts import Comment, PlanfixAccounts
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.notifications.recipient_lookup import People
    from supervisor.store.store import Store

    T = TypeVar("T")


# A task may not be readable at the moment of its event; a failing Planfix gets a second chance.
PAUSES = (1.0, 4.0)  # seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says, together with what Planfix itself says."""

    fields: dict[str, str]
    recipients: tuple[Address, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    is_hidden: bool = False


class PlanfixFacts:
    """Completes the events of all bots that have a key for the REST API."""

    def __init__(self, accounts: PlanfixAccounts, people: People) -> None:
        self._accounts = accounts
        self._people = people

    async def complete(self, number: str, event: PlanfixEvent) -> Facts:
        """Return the event with what it did not say, as far as Planfix tells it."""
        facts = Facts(dict(event.fields), event.recipients, event.rejected)
        names_somebody = bool(event.recipients or event.rejected)
        told: tuple[str, ...] = ()
        if event.is_comment:
            comment = await self._comment(number, event)
            facts = _with_comment(facts, comment)
            if facts.is_hidden:
                return facts
            told = _notified(comment)
        if event.task and not (facts.fields["title"] and (names_somebody or told)):
            task = await self._asked(number, lambda: self._accounts.read_task(number, event.task))
            if task is not None:
                facts = replace(facts, fields=_with_task(facts.fields, task, event))
                told = told or tuple(each for each, _ in task.assignees)
        if names_somebody:
            return facts
        return await self._with_recipients(number, facts, told[:MOST_RECIPIENTS])

    async def _comment(self, number: str, event: PlanfixEvent) -> Comment | None:
        read = self._accounts
        if event.comment:
            return await self._asked(number, lambda: read.read_comment(number, event.comment))
        listed = await self._asked(number, lambda: read.read_comments(number, event.task))
        words = event.fields["text"].split()
        return next((each for each in listed or () if each.text.split() == words), None)

    async def _with_recipients(self, number: str, facts: Facts, told: tuple[str, ...]) -> Facts:
        found: list[Address] = []
        rejected: list[Rejected] = []
        for identifier in told:
            ask = partial(self._accounts.read_person, number, identifier)
            person = await self._asked(number, ask)
            address = person and await self._address(number, person)
            if address:
                found.append(address)
            else:
                name = person.name if person else identifier
                detail = "has not registered with the bot"
                rejected.append(Rejected(to=name or identifier, code=UNKNOWN, detail=detail))
        return replace(facts, recipients=tuple(found), rejected=tuple(rejected))

    async def _address(self, number: str, person: RestPerson) -> Address | None:
        """Find who registered with the bot under the Telegram id, the user name or a phone."""
        names = [(parse_loosely, person.telegram_id), (parse_loosely, person.telegram)]
        names += [(parse_phone, phone) for phone in person.phones]
        for parse, written in names:
            try:
                address = parse(written)
            except AddressMalformed:
                continue
            match address.kind:
                case AddressKind.CHAT:
                    known = await self._people.find(number, user_id=address.chat_id)
                case AddressKind.NAME:
                    known = await self._people.find(number, username=address.value)
                case _:
                    known = await self._people.find(number, phone=address.value)
            if known is not None:
                return Address(written, AddressKind.CHAT, str(known.user_id))
        return None

    async def _asked(self, number: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        for pause in (*PAUSES, None):
            try:
                return await ask()
            except PlanfixRefused as error:
                if pause is None or self._accounts.is_resting(number):
                    logger.warning("bot %s: Planfix did not tell of an event: %s", number, error)
                    return None
                await asyncio.sleep(pause)
        return None


def _with_comment(facts: Facts, comment: Comment | None) -> Facts:
    """Take the comment from Planfix; what it does not confirm may be hidden, so it is left out."""
    if comment is None:
        return replace(facts, fields={**facts.fields, "text": ""})
    fields = {**facts.fields, "text": comment.text}
    fields["author"] = comment.author or fields["author"]
    return replace(facts, fields=fields, is_hidden=comment.is_hidden)


def _notified(comment: Comment | None) -> tuple[str, ...]:
    """Return who was notified in Planfix, but never the author."""
    if comment is None:
        return ()
    return tuple(each for each in comment.notified if each != comment.author_id)


def _with_task(fields: dict[str, str], task: RestTask, event: PlanfixEvent) -> dict[str, str]:
    known = {
        "title": plain_text(task.title),
        "status": plain_text(task.status),
        "assignee": ", ".join(name for _, name in task.assignees if name),
    }
    if not event.is_comment:
        known["due"] = task.due
    if event.event.startswith("task."):  # other events are not about the description and its author
        known |= {"text": plain_text(task.description), "author": plain_text(task.author)}
    return {**fields, **{name: fields[name] or text for name, text in known.items()}}


NOTHING = Accepted(None, 0, ())


class PlanfixEvents:
    """The events of all accounts."""

    def __init__(
        self, store: Store, notifications: NotificationService, accounts: PlanfixAccounts
    ) -> None:
        self._store = store
        self._notifications = notifications
        self._accounts = accounts
        self._facts = PlanfixFacts(accounts, store.people)
        notifications.lookup.chore = self._finish_oldest

    async def accept(self, number: str, event: PlanfixEvent) -> Accepted:
        """Store the notification of an event; a repeated event is the same notification.

        If Planfix has to be asked for more, that happens after its call is answered.
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
        sender = await self._notifications.sender_of(number)
        try:
            body = await self._store.notifications.body(number, identifier)
            event = read_event(json.loads(Notice.model_validate_json(body).event))
        except (SealBroken, ValueError) as error:  # given up, so that it holds up no other event
            logger.error("bot %s: an event of Planfix cannot be read: %s", number, error)  # noqa: TRY400 - no bug of ours
            await self._notifications.finish_stored(sender, identifier, (), Notice())
            return True
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
        facts = Facts(dict(event.fields))
        return NOTHING if await self._is_ours(number, event, facts) else None

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
