"""The employees of an account, who call the gateway's webhook as Planfix does."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from sandbox.planfix import traffic_log
from sandbox.planfix.attached_files import StoredFile
from sandbox.planfix.command import Link
from sandbox.planfix.form import FORM_TYPE
from sandbox.planfix.reply import Envelope, Reply, compose, whom
from sandbox.planfix.tasks_and_contacts import Chat, Contact, Task

if TYPE_CHECKING:
    from sandbox.planfix.account import Account

TIME_LIMIT = 60.0  # seconds that the gateway has to answer


class NoWebhook(Exception):
    """The account has no webhook_url, so its employees cannot write."""


class NothingToRepeat(Exception):
    """No earlier message has this id."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A call to the gateway that can be made as often as needed."""

    message_id: str
    reply: Reply
    task: Task
    to: Contact
    channel: str
    files: tuple[Link, ...]
    form: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer of the gateway; the status is None if it could not be reached."""

    message_id: str
    status: int | None
    body: Any


class Employee:
    """Sends the replies of one account's employees."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._letters: dict[str, Letter] = {}
        self._message_ids = itertools.count(50_000_001)

    async def reply(self, reply: Reply) -> Delivery:
        """Send a reply to the gateway, and connect the task of a first message with the chat that the answer names."""
        url = self._account.settings.webhook_url
        if url is None:
            raise NoWebhook(f"account {self._account.name} has no webhook_url")
        letter = self._repeat(reply) if reply.is_bare_repeat else self._write(reply)
        delivery = await self._deliver(url, letter)
        self._bind(letter, delivery)
        self._remember(letter, delivery)
        return delivery

    def _repeat(self, reply: Reply) -> Letter:
        letter = self._letters.get(reply.message_id or "")
        if letter is None:
            raise NothingToRepeat(f"no message {reply.message_id} was written before")
        return letter

    def _write(self, reply: Reply) -> Letter:
        account, cards = self._account, self._account.cards
        chat = cards.chats.get(reply.chat_id or "")
        to = whom(reply, chat, cards.contact_of(chat) if chat else None)
        message_id = reply.message_id or str(next(self._message_ids))
        task = self._task_for(chat, to, message_id)
        channel = reply.channel or (chat.channel if chat else "")
        envelope = Envelope(
            message_id=message_id,
            task_email=f"task+{task.number}@{account.name}.planfix.example",
            avatar=f"{account.url}/userpic/1.svg",
            links=self._put_on_shelf(reply),
        )
        form = compose(account.settings, reply, to, channel, envelope)
        letter = Letter(message_id, reply, task, to, channel, envelope.links, tuple(form))
        self._letters[message_id] = letter
        return letter

    def _task_for(self, chat: Chat | None, to: Contact, message_id: str) -> Task:
        if chat is not None:
            return chat.task
        if message_id in self._letters:
            return self._letters[message_id].task
        return self._account.cards.open_task(to.label)

    def _put_on_shelf(self, reply: Reply) -> tuple[Link, ...]:
        shelf = self._account.shelf
        return tuple(
            Link(name=file.name, url=shelf.put(StoredFile(file.name, file.content)))
            for file in reply.files
        )

    async def _deliver(self, url: str, letter: Letter) -> Delivery:
        content = urlencode(letter.form)
        try:
            response = await self._account.http.post(
                url, content=content, headers={"Content-Type": FORM_TYPE}, timeout=TIME_LIMIT
            )
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            words = f"{url} could not be reached: {type(exc).__name__} {exc}".rstrip()
            return Delivery(letter.message_id, None, words)
        return Delivery(letter.message_id, response.status_code, _read(response))

    def _bind(self, letter: Letter, delivery: Delivery) -> None:
        """Connect a new task with the chat that the gateway's answer names."""
        told = delivery.body if delivery.status == httpx.codes.OK else None
        if isinstance(told, dict) and told.get("chatId") and told.get("contactId"):
            chat_id, contact_id = str(told["chatId"]), str(told["contactId"])
            chat = Chat(chat_id, letter.task, contact_id, letter.channel)
            self._account.cards.bind(chat, letter.to)

    def _remember(self, letter: Letter, delivery: Delivery) -> None:
        self._account.journal.replies.append(
            traffic_log.Reply(
                at=time.time(),
                message_id=letter.message_id,
                contact=letter.to.label,
                text=letter.reply.text,
                files=letter.files,
                task=letter.task.number,
                answered=delivery.status,
            )
        )


def _read(response: httpx.Response) -> Any:
    """Read the body as JSON if possible, otherwise as text."""
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return response.text
