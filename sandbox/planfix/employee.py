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
from sandbox.planfix.reply import Reply, ReplyDetails, compose, whom
from sandbox.planfix.tasks_and_contacts import Chat, Contact, Task

if TYPE_CHECKING:
    from sandbox.planfix.account import Account

TIME_LIMIT = 60.0  # seconds that the gateway has to answer


class NoWebhook(Exception):
    """The account has no webhook_url, so its employees cannot write."""


class NothingToRepeat(Exception):
    """No earlier message has this id."""


@dataclass(frozen=True, slots=True)
class GatewayCall:
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
        self._calls: dict[str, GatewayCall] = {}
        self._message_ids = itertools.count(50_000_001)

    async def reply(self, reply: Reply) -> Delivery:
        """Send a reply to the gateway, and connect the task of a first message with the chat that the answer names."""
        url = self._account.settings.webhook_url
        if url is None:
            raise NoWebhook(f"account {self._account.name} has no webhook_url")
        call = self._repeat(reply) if reply.is_bare_repeat else self._write(reply)
        delivery = await self._deliver(url, call)
        self._bind(call, delivery)
        self._remember(call, delivery)
        return delivery

    def _repeat(self, reply: Reply) -> GatewayCall:
        call = self._calls.get(reply.message_id or "")
        if call is None:
            raise NothingToRepeat(f"no message {reply.message_id} was written before")
        return call

    def _write(self, reply: Reply) -> GatewayCall:
        account, known = self._account, self._account.tasks_and_contacts
        chat = known.chats.get(reply.chat_id or "")
        to = whom(reply, chat, known.contact_of(chat) if chat else None)
        message_id = reply.message_id or str(next(self._message_ids))
        task = self._task_for(chat, to, message_id)
        channel = reply.channel or (chat.channel if chat else "")
        details = ReplyDetails(
            message_id=message_id,
            task_email=f"task+{task.number}@{account.name}.planfix.example",
            avatar=f"{account.url}/userpic/1.svg",
            links=self._offer_files(reply),
        )
        form = compose(account.settings, reply, to, channel, details)
        call = GatewayCall(message_id, reply, task, to, channel, details.links, tuple(form))
        self._calls[message_id] = call
        return call

    def _task_for(self, chat: Chat | None, to: Contact, message_id: str) -> Task:
        if chat is not None:
            return chat.task
        if message_id in self._calls:
            return self._calls[message_id].task
        return self._account.tasks_and_contacts.open_task(to.label)

    def _offer_files(self, reply: Reply) -> tuple[Link, ...]:
        offered = self._account.offered
        return tuple(
            Link(name=file.name, url=offered.put(StoredFile(file.name, file.content)))
            for file in reply.files
        )

    async def _deliver(self, url: str, call: GatewayCall) -> Delivery:
        content = urlencode(call.form)
        try:
            response = await self._account.http.post(
                url, content=content, headers={"Content-Type": FORM_TYPE}, timeout=TIME_LIMIT
            )
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            words = f"{url} could not be reached: {type(exc).__name__} {exc}".rstrip()
            return Delivery(call.message_id, None, words)
        return Delivery(call.message_id, response.status_code, _read(response))

    def _bind(self, call: GatewayCall, delivery: Delivery) -> None:
        """Connect a new task with the chat that the gateway's answer names."""
        told = delivery.body if delivery.status == httpx.codes.OK else None
        if isinstance(told, dict) and told.get("chatId") and told.get("contactId"):
            chat_id, contact_id = str(told["chatId"]), str(told["contactId"])
            chat = Chat(chat_id, call.task, contact_id, call.channel)
            self._account.tasks_and_contacts.bind(chat, call.to)

    def _remember(self, call: GatewayCall, delivery: Delivery) -> None:
        self._account.journal.replies.append(
            traffic_log.Reply(
                at=time.time(),
                message_id=call.message_id,
                contact=call.to.label,
                text=call.reply.text,
                files=call.files,
                task=call.task.number,
                answered=delivery.status,
            )
        )


def _read(response: httpx.Response) -> Any:
    """Read the body as JSON if possible, otherwise as text."""
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return response.text
