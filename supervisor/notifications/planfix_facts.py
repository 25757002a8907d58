"""Asks Planfix for what an event does not say: the comment, the task, and whom to tell."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from supervisor.errors import AddressMalformed
from supervisor.notifications.notice import Rejected
from supervisor.notifications.planfix_accounts import PlanfixRefused
from supervisor.notifications.planfix_event import MOST_RECIPIENTS, plain_text
from supervisor.notifications.recipient_lookup import UNKNOWN
from supervisor.notifications.recipients import Address, AddressKind, parse_loosely, parse_phone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from session_worker.planfix.rest import RestPerson, RestTask
    from supervisor.notifications.planfix_accounts import Comment, PlanfixAccounts
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.notifications.recipient_lookup import People

    T = TypeVar("T")

# A task may not be readable at the moment of its event; a failing Planfix gets a second chance.
PAUSES = (1.0, 4.0)  # seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says together with what Planfix says."""

    fields: dict[str, str]
    recipients: tuple[Address, ...] = ()
    rejected: tuple[Rejected, ...] = field(default=())
    is_hidden: bool = False


class PlanfixFacts:
    """Completes the events of all bots that have a key for the REST API."""

    def __init__(self, accounts: PlanfixAccounts, people: People) -> None:
        self._accounts = accounts
        self._people = people

    async def complete(self, number: str, event: PlanfixEvent) -> Facts:
        """Return the event with what it did not say; what Planfix does not tell is left out."""
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
    """Return who was told in Planfix, but never the author."""
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
    if event.event.startswith("task."):  # the others are not about what the task says
        known |= {"text": plain_text(task.description), "author": plain_text(task.author)}
    return {**fields, **{name: fields[name] or text for name, text in known.items()}}
