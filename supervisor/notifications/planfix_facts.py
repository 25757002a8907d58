"""What Planfix itself knows of an event, and how long the event waits for it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

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
ASKED_AGAIN = 30.0  # seconds until a Planfix that has failed is asked again
WHOLE_WITHIN = 60.0  # seconds; later than that, a notification is wanted with less in it
TOLD_WITHIN = 24 * 3600.0  # seconds; later than that, an event for nobody is given up
SHORTEST_PAUSE = 1.0  # seconds until a waiting event is looked at again
LONGEST_PAUSE = 300.0

logger = logging.getLogger(__name__)


class Lack(Enum):
    """What an event lacks that may be known later."""

    NOTHING = "nothing"
    PART = "part"
    RECIPIENTS = "recipients"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says, together with what Planfix itself says."""

    fields: dict[str, str]
    recipients: tuple[Address, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    is_hidden: bool = False
    names_somebody: bool = False
    """Whether the event itself says whom it is for."""
    lack: Lack = Lack.NOTHING


class Wait(NamedTuple):
    """For how many seconds an event waits, and whether those behind it wait as well."""

    seconds: float
    holds_others: bool


def wait_of(lack: Lack, age: float, rest: float) -> Wait | None:
    """Decide whether an event waits until it can be completed, or goes as it is.

    Planfix is not asked for another `rest` seconds. People want to be told within a minute, even if
    it is not everything. But an event for which nobody is known would be lost, so it waits longer,
    and lets the others pass.
    """
    pause = max(rest, SHORTEST_PAUSE)
    if lack is Lack.NOTHING:
        return None
    if age + pause <= WHOLE_WITHIN:
        return Wait(pause, holds_others=True)
    if lack is Lack.PART or age + pause > TOLD_WITHIN:
        return None
    return Wait(min(pause, LONGEST_PAUSE), holds_others=False)


class PlanfixFacts:
    """Completes the events of all bots that have a key for the REST API."""

    def __init__(self, accounts: PlanfixAccounts, people: People) -> None:
        self._accounts = accounts
        self._people = people

    async def complete(self, number: str, event: PlanfixEvent) -> Facts:
        """Return the event with what it did not say, as far as Planfix tells it."""
        questions = _Questions(self._accounts, number)
        facts = facts_of(event)
        told: tuple[str, ...] = ()
        if event.is_comment:
            comment = await self._comment(questions, event)
            facts = _with_comment(facts, comment)
            if facts.is_hidden:
                return facts
            told = _notified(comment)
        if event.task and not (facts.fields["title"] and (facts.names_somebody or told)):
            task = await questions.ask(lambda: self._accounts.read_task(number, event.task))
            if task is not None:
                facts = replace(facts, fields=_with_task(facts.fields, task, event))
                told = told or tuple(each for each, _ in task.assignees)
        if not facts.names_somebody:
            facts = await self._with_recipients(questions, facts, told[:MOST_RECIPIENTS])
        return replace(facts, lack=_lack_of(facts, are_open=questions.are_open))

    async def _comment(self, questions: _Questions, event: PlanfixEvent) -> Comment | None:
        read, number = self._accounts, questions.number
        if event.comment:
            return await questions.ask(lambda: read.read_comment(number, event.comment))
        listed = await questions.ask(lambda: read.read_comments(number, event.task))
        words = event.fields["text"].split()
        return next((each for each in listed or () if each.text.split() == words), None)

    async def _with_recipients(
        self, questions: _Questions, facts: Facts, told: tuple[str, ...]
    ) -> Facts:
        found: list[Address] = []
        rejected: list[Rejected] = []
        for identifier in told:
            ask = partial(self._accounts.read_person, questions.number, identifier)
            person = await questions.ask(ask)
            address = person and await self._address(questions.number, person)
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


class _Questions:
    """What Planfix is asked about one event."""

    def __init__(self, accounts: PlanfixAccounts, number: str) -> None:
        self._accounts = accounts
        self.number = number
        self.are_open = False
        """Whether one of them may be answered later."""

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        for pause in (*PAUSES, None):
            try:
                return await ask()
            except PlanfixRefused as error:
                is_resting = bool(self._accounts.rests_for(self.number))
                if pause is None or is_resting:
                    self._record(error, is_resting=is_resting)
                    return None
                await asyncio.sleep(pause)
        return None

    def _record(self, error: PlanfixRefused, *, is_resting: bool) -> None:
        if error.is_final:
            logger.warning("bot %s: Planfix did not tell of an event: %s", self.number, error)
            return
        self.are_open = True
        if not is_resting:
            self._accounts.rest(self.number, ASKED_AGAIN, str(error), is_wanted=False)


def facts_of(event: PlanfixEvent) -> Facts:
    """Return what the event itself says."""
    return Facts(
        dict(event.fields),
        event.recipients,
        event.rejected,
        names_somebody=bool(event.recipients or event.rejected),
    )


def _lack_of(facts: Facts, *, are_open: bool) -> Lack:
    if not are_open:
        return Lack.NOTHING
    return Lack.PART if facts.names_somebody else Lack.RECIPIENTS


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
