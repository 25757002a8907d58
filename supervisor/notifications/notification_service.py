"""What the API does with notifications: accept, show and preview them, and keep their templates."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from session_worker.protocol.outgoing import UPLOADED
from supervisor.errors import NotificationUnknown, TemplateUnknown
from supervisor.notifications.formatting.default_templates import default_template
from supervisor.notifications.formatting.templates import (
    Template,
    TextFormat,
    check_template,
    read_text,
    render_template,
)
from supervisor.notifications.notice import Notice
from supervisor.notifications.outcome import outcome_of
from supervisor.notifications.queue import NotificationQueue
from supervisor.notifications.recipient_lookup import RecipientLookup
from supervisor.store.notifications import NewNotification
from supervisor.store.templates import EVERYBODY, StoredTemplate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.messages.dispatchers import Dispatchers
    from supervisor.nodes.node import Node
    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.notifications.notice import Manner, Rejected
    from supervisor.notifications.outcome import Outcome
    from supervisor.notifications.recipient_lookup import People
    from supervisor.notifications.recipients import Address
    from supervisor.store.store import Store

LONGEST_WAIT = 60.0  # seconds
UPLOAD_LIFETIME = 7 * 24 * 3600.0  # seconds; a message is sent or given up before that


class Sender(NamedTuple):
    """Who sends: a bot or a number, and its language."""

    number: str
    is_bot: bool
    language: str


class Accepted(NamedTuple):
    """A notification that is stored; one that was only tried has no id."""

    id: str | None
    accepted: int
    rejected: tuple[Rejected, ...]


class RecipientOutcome(NamedTuple):
    """The outcome of the message to one recipient."""

    to: str
    peer_id: int
    outcome: Outcome


class Wording(NamedTuple):
    """What is to be said: a text, or the name of a template with its data."""

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
        config: Config,
        node: Node | None = None,
    ) -> None:
        """With a node, others may run the sender; then a notification is stored, and its node woken."""
        self._node = node
        self._store = store
        self._stored = store.notifications
        self._dispatchers = dispatchers
        self._people = people
        self.sender_of = sender_of
        self._config = config
        self._queues: dict[str, NotificationQueue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attached: set[str] = set()
        dispatchers.watcher = self

    async def notify(
        self,
        sender: Sender,
        addresses: Sequence[Address],
        notice: Notice,
        manner: Manner,
        *,
        dry_run: bool = False,
    ) -> Accepted:
        """Store a notification durably; it is sent after that, once.

        Who was rejected before, because of the address, is in the notice.
        """
        dispatcher = await self._dispatchers.of(sender.number)
        lookup = RecipientLookup(self._people, dispatcher, self._require_here, is_bot=sender.is_bot)
        found = await lookup.find(addresses)
        notice = notice.changed(rejected=(*notice.rejected, *found.rejected))
        if dry_run:
            return Accepted(None, len(found.recipients), notice.rejected)
        new_id = f"ntf_{secrets.token_urlsafe(12)}"
        body = notice.model_dump_json().encode()
        new = NewNotification(
            id=new_id,
            number=sender.number,
            body=await self._stored.seal(sender.number, new_id, body),
            recipients=found.recipients,
            parts=notice.parts,
            dedup_key=manner.dedup_key,
            not_before=manner.not_before,
            expires=manner.expires,
        )
        stored_id = await self._stored.add(new)
        if stored_id != new_id:
            return await self._first_answer(sender.number, stored_id)
        if self._node is None:
            self.wake(sender.number)
        else:
            self._node.wake_owner(sender.number)
        return Accepted(new_id, len(found.recipients), notice.rejected)

    async def find_repeat(self, number: str, dedup_key: str) -> Accepted | None:
        """Return the answer to an earlier call with this key."""
        found = await self._stored.find_by_key(number, dedup_key)
        return None if found is None else await self._first_answer(number, found)

    async def find_sent(self, number: str, peer_id: int, message_id: int) -> Notice:
        """Return what a message said that was sent into this chat."""
        notification = await self._stored.find_by_message(number, peer_id, message_id)
        return Notice.model_validate_json(await self._stored.body(number, notification))

    async def show(self, number: str, notification: str) -> list[RecipientOutcome]:
        """Return what became of the message to each recipient."""
        await self._stored.body(number, notification)
        progress = await self._stored.progress(number, notification)
        return [RecipientOutcome(each.name, each.peer_id, outcome_of(each)) for each in progress]

    async def wait(self, number: str, notification: str, seconds: float) -> list[RecipientOutcome]:
        """Return the same once nothing changes any more, or after this time."""
        until = time.monotonic() + min(seconds, LONGEST_WAIT)
        outcomes = await self.show(number, notification)
        while not all(each.outcome.is_final for each in outcomes):
            left = until - time.monotonic()
            queue = self._queues.get(number)
            if left <= 0:
                break
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
            text = read_text(wording.text or "", wording.format)
            return text.with_title(wording.title or "")
        # In a thread: whatever a template does, the beats of the workers go on.
        text = await asyncio.to_thread(render_template, template, wording.data)
        return text.with_title(wording.title or "")

    async def find_template(self, owner: str, name: str, language: str) -> Template:
        """Return the owner's template, the operator's or ours, best in this language."""
        stored = await self._store.templates.find(owner, name)
        for wanted in (language, ""):
            for each in stored:
                if each.language == wanted:
                    return Template(each.text, TextFormat(each.format), each.language)
        if stored:  # in another language
            return Template(stored[0].text, TextFormat(stored[0].format), stored[0].language)
        default = default_template(name, language)
        if default is None:
            raise TemplateUnknown(name)
        return default

    async def save_template(self, owner: str | None, name: str, template: Template) -> None:
        """Store a template; without an owner it is for everybody."""
        check_template(template)
        stored = StoredTemplate(name, template.language, template.text, template.format)
        await self._store.templates.save(owner or EVERYBODY, stored)

    async def delete_template(self, owner: str | None, name: str, language: str | None) -> None:
        if not await self._store.templates.delete(owner or EVERYBODY, name, language):
            raise TemplateUnknown(name)

    async def keep_upload(self, number: str, content: bytes) -> str:
        """Keep a file that came with a call where the worker finds it; return its address."""
        folder = self._config.spool_of(number) / "uploads"
        name = secrets.token_hex(16)
        await asyncio.to_thread(_write, folder, name, content)
        return f"{UPLOADED}{name}"

    def attach_worker(self, number: str) -> None:
        """Begin to hand over what waits for this number."""
        self._attached.add(number)
        self._in_background(self._start_if_needed(number))

    def detach_worker(self, number: str) -> None:
        self._attached.discard(number)
        queue = self._queues.pop(number, None)
        if queue is not None:
            self._in_background(queue.stop())

    def finish(self, number: str, row: int) -> None:
        queue = self._queues.get(number)
        if queue is not None and queue.has(row):
            self._in_background(queue.finish(row))

    async def look_for_work(self) -> None:
        """Find what another node stored for a number that runs here; being woken is only faster."""
        for number in self._attached & await self._stored.numbers_with_due(time.time()):
            if number not in self._queues or self._queues[number].is_idle:
                self.wake(number)

    def wake(self, number: str) -> None:
        """Hand over what is stored, if the number has a worker here."""
        queue = self._queues.get(number)
        if queue is not None:
            queue.wake()
        elif number in self._attached:
            self._in_background(self._start_queue(number))

    async def stop(self) -> None:
        for queue in self._queues.values():
            await queue.stop()

    async def _start_if_needed(self, number: str) -> None:
        """Start the queue of a number that has something to send; most numbers never notify."""
        if await self._stored.has_work(number):
            await self._start_queue(number)

    async def _start_queue(self, number: str) -> None:
        sender = await self.sender_of(number)
        if number not in self._attached or number in self._queues:
            return
        queue = NotificationQueue(
            number, self._stored, self._dispatchers, self._people, is_bot=sender.is_bot
        )
        self._queues[number] = queue
        queue.start()

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

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write a file that the worker's user may read, and delete those that are too old."""
    folder.mkdir(parents=True, exist_ok=True)
    too_old = time.time() - UPLOAD_LIFETIME
    for file in folder.iterdir():
        if file.stat().st_mtime < too_old:
            file.unlink(missing_ok=True)
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o644)
