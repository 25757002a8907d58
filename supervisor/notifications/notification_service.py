"""What the API does with notifications: accept, show and preview them, and keep their templates."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from supervisor.background_loop import LoopOfEach
from supervisor.errors import DatabaseError, NotificationUnknown, TemplateUnknown
from supervisor.nodes.runner import NOTIFICATIONS
from supervisor.notifications.formatting.default_templates import default_template
from supervisor.notifications.formatting.templates import (
    Template,
    TextFormat,
    check_template,
    read_text,
    render_template,
)
from supervisor.notifications.notice import Notice, beside_loop
from supervisor.notifications.outcome import Accepted, RecipientOutcome, outcome_of
from supervisor.notifications.queue import PAUSE, NotificationQueue
from supervisor.notifications.recipient_lookup import RecipientLookup
from supervisor.store.notifications import NewNotification
from supervisor.store.templates import EVERYBODY, StoredTemplate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from supervisor.messages.message_service import Dispatchers
    from supervisor.nodes.node import Node
    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.notifications.notice import Manner
    from supervisor.notifications.recipient_lookup import Found, People
    from supervisor.notifications.recipients import Address
    from supervisor.store.store import Store

LONGEST_WAIT = 60.0  # seconds


class Sender(NamedTuple):
    """Who sends: a bot or a number, and its language."""

    number: str
    is_bot: bool
    language: str


class Wording(NamedTuple):
    """What a notification is to say: a text, or the name of a template with its data."""

    text: str | None = None
    format: TextFormat = TextFormat.PLAIN
    template: str | None = None
    data: Mapping[str, Any] = {}
    language: str | None = None
    title: str | None = None
    is_template: bool = False


class NotificationService:
    """The notifications of all bots and numbers."""

    def __init__(
        self,
        store: Store,
        dispatchers: Dispatchers,
        people: People,
        sender_of: Callable[[str], Awaitable[Sender]],
        node: Node | None = None,
    ) -> None:
        """With a node, another node may run the sender; it is woken when a notification is stored."""
        self._node = node
        self._store = store
        self._stored = store.notifications
        self._dispatchers = dispatchers
        self._people = people
        self.sender_of, self.number_of = sender_of, self._stored.number_of
        self._queues: dict[str, NotificationQueue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attached: set[str] = set()
        self.lookup = LoopOfEach("look-up of events")
        dispatchers.watcher = self

    async def notify(
        self,
        sender: Sender,
        addresses: Sequence[Address],
        notice: Notice,
        manner: Manner,
        *,
        dry_run: bool = False,
        unfinished: Notice | None = None,
    ) -> Accepted:
        """Store a notification durably, or an unfinished one if somebody may only be found later.

        The notice already has the recipients that were rejected because of their addresses.
        """
        found = await self.find(sender, addresses)
        if found.is_open and unfinished is not None:
            stored = await self.store_unfinished(sender, unfinished, manner.dedup_key)
            return Accepted(stored, len(addresses), unfinished.rejected)
        notice = notice.changed(rejected=(*notice.rejected, *found.rejected))
        if dry_run:
            return Accepted(None, len(found.recipients), notice.rejected)
        new = NewNotification(
            *(_new_id(), sender.number, b"", found.recipients, notice.parts),
            *(manner.dedup_key, manner.not_before, manner.expires),
        )
        stored_id = await self._stored.add(await self._sealed(new, notice))
        if stored_id != new.id:
            return await self._first_answer(sender.number, stored_id)
        self._wake_sender(sender.number)
        return Accepted(new.id, len(found.recipients), notice.rejected)

    async def store_unfinished(self, sender: Sender, notice: Notice, dedup_key: str | None) -> str:
        """Store durably what an event of Planfix said; what is missing is looked up after that."""
        new = NewNotification(_new_id(), sender.number, b"", (), 1, dedup_key, needs_lookup=True)
        stored_id = await self._stored.add(await self._sealed(new, notice))
        self._wake_sender(sender.number)
        return stored_id

    async def finish_stored(self, number: str, stored: str, found: Found, notice: Notice) -> None:
        """Replace what an event said with the notification itself, which is sent after that."""
        notice = notice.changed(rejected=(*notice.rejected, *found.rejected))
        new = NewNotification(stored, number, b"", found.recipients, notice.parts)
        await self._stored.finish(await self._sealed(new, notice))
        self._wake_sender(number)

    async def find(self, sender: Sender, addresses: Sequence[Address]) -> Found:
        """Look up whom the addresses mean."""
        dispatcher = await self._dispatchers.of(sender.number)
        entities, here = self._store.entities, self._require_here
        lookup = RecipientLookup(self._people, entities, dispatcher, here, is_bot=sender.is_bot)
        return await lookup.find(addresses)

    async def find_repeat(self, number: str, dedup_key: str) -> Accepted | None:
        """Return the answer to an earlier call with this key."""
        found = await self._stored.find_by_key(number, dedup_key)
        return None if found is None else await self._first_answer(number, found)

    async def find_sent(self, number: str, peer_id: int, message_id: int) -> Notice:
        """Return the notice that was sent as this message in this chat."""
        notification = await self._stored.find_by_message(number, peer_id, message_id)
        return Notice.model_validate_json(await self._stored.body(number, notification))

    async def show(self, number: str, notification: str) -> list[RecipientOutcome]:
        """Return the outcome of the message to each recipient."""
        await self._stored.body(number, notification)
        progress = await self._stored.progress(number, notification)
        return [RecipientOutcome(each.name, each.peer_id, outcome_of(each)) for each in progress]

    async def wait(self, number: str, notification: str, seconds: float) -> list[RecipientOutcome]:
        """Like `show`, but wait until all outcomes are final, or for so many seconds."""
        until = time.monotonic() + min(seconds, LONGEST_WAIT)
        outcomes = await self.show(number, notification)
        while not all(each.outcome.is_final for each in outcomes) and time.monotonic() < until:
            left = until - time.monotonic()
            queue = self._queues.get(number)
            if queue is None:
                await asyncio.sleep(min(left, 0.5))
            else:
                await queue.wait_finished(min(left, 1.0))
            outcomes = await self.show(number, notification)
        return outcomes

    async def word(self, sender: Sender, wording: Wording) -> MarkedText:
        """Make the text; raise what is wrong with it or with its template."""
        if wording.template is not None:
            template = await self.find_template(
                sender.number, wording.template, wording.language or sender.language
            )
        elif wording.is_template:
            template = Template(wording.text or "", wording.format)
        else:
            written = wording.text or ""
            text = await beside_loop(len(written), read_text, written, wording.format)
            return text.with_title(wording.title or "")
        text = await asyncio.to_thread(render_template, template, wording.data)  # see beside_loop
        return text.with_title(wording.title or "")

    async def find_template(self, owner: str, name: str, language: str) -> Template:
        """Return the owner's template, the operator's or our own, if possible in this language."""
        stored = await self._store.templates.find(owner, name)
        if stored:
            best = min(stored, key=lambda each: (each.language != language, each.language != ""))
            return Template(best.text, TextFormat(best.format), best.language)
        default = default_template(name, language)
        if default is None:
            raise TemplateUnknown(name)
        return default

    async def save_template(self, owner: str | None, name: str, template: Template) -> None:
        """Store a template; without an owner it is for everybody."""
        await asyncio.to_thread(check_template, template)
        stored = StoredTemplate(name, template.language, template.text, template.format)
        await self._store.templates.save(owner or EVERYBODY, stored)

    async def delete_template(self, owner: str | None, name: str, language: str | None) -> None:
        if not await self._store.templates.delete(owner or EVERYBODY, name, language):
            raise TemplateUnknown(name)

    def attach_worker(self, number: str) -> None:
        """Begin to hand over what waits for this number."""
        self._attached.add(number)
        self.lookup.wake(number)
        self._in_background(self._start_queue(number, only_if_needed=True))

    def detach_worker(self, number: str) -> None:
        self._attached.discard(number)
        self._in_background(self.lookup.halt(number))
        queue = self._queues.pop(number, None)
        if queue is not None:
            self._in_background(queue.stop())

    def finish(self, number: str, row: int) -> None:
        queue = self._queues.get(number)
        if queue is not None and queue.has(row):
            self._in_background(queue.finish(row))

    async def wait_handed_over(self, number: str) -> None:
        """Wait until those who are muted already can get nothing more."""
        if queue := self._queues.get(number):
            await queue.wait_handed_over()

    async def look_for_work(self) -> None:
        """Find what another node stored for a number that runs here; being woken is only faster."""
        for number in self._attached & await self._stored.numbers_with_due(time.time()):
            if number not in self._queues or self._queues[number].is_idle:
                self.wake(number)

    def wake(self, number: str) -> None:
        """Hand over what is stored, if the number has a worker here."""
        if number not in self._attached:
            return
        self.lookup.wake(number)
        queue = self._queues.get(number)
        if queue is not None:
            queue.wake()
        else:
            self._in_background(self._start_queue(number))

    async def stop(self) -> None:
        self._attached.clear()
        await self.lookup.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for queue in self._queues.values():
            await queue.stop()

    async def _start_queue(self, number: str, *, only_if_needed: bool = False) -> None:
        """Start the queue of a number, or only if it has something to send: most never notify."""
        while number in self._attached and number not in self._queues:
            # If the database fails, it is asked again; otherwise what is stored would wait for ever.
            with suppress(DatabaseError):
                if not only_if_needed or await self._stored.has_work(number):
                    self._open_queue(number, await self.sender_of(number))
                return
            await asyncio.sleep(PAUSE)

    def _open_queue(self, number: str, sender: Sender) -> None:
        if number in self._attached and number not in self._queues:
            queue = self._queues[number] = NotificationQueue(
                number, self._stored, self._dispatchers, self._people, is_bot=sender.is_bot
            )
            queue.start()

    def _wake_sender(self, number: str) -> None:
        if self._node is None:
            self.wake(number)
        else:
            self._node.wake_owner(number, NOTIFICATIONS)

    async def _require_here(self, number: str) -> None:
        if self._node is not None:
            await self._node.require_here(number)

    async def _first_answer(self, number: str, notification: str) -> Accepted:
        """Answer a repeat as the first call was answered."""
        try:
            body = await self._stored.body(number, notification)
        except NotificationUnknown:
            return Accepted(notification, 0, ())
        accepted = len(await self._stored.progress(number, notification))
        return Accepted(notification, accepted, Notice.model_validate_json(body).rejected)

    async def _sealed(self, new: NewNotification, notice: Notice) -> NewNotification:
        body = notice.model_dump_json().encode()
        return new._replace(body=await self._stored.seal(new.number, new.id, body))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _new_id() -> str:
    return f"ntf_{secrets.token_urlsafe(12)}"
