"""One Planfix account, which carries out the commands of its chat API."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from sandbox.planfix import answer as answers
from sandbox.planfix.attached_files import FileStore, StoredFile
from sandbox.planfix.attachment import fetch
from sandbox.planfix.command import (
    Command,
    GetContact,
    GetTask,
    InvalidParameters,
    MessageStatus,
    NewMessage,
    UpdateContact,
    parse_command,
)
from sandbox.planfix.fault import Fault, Mode, add_fault, pick_fault
from sandbox.planfix.tasks.board import Board
from sandbox.planfix.tasks_and_contacts import TasksAndContacts
from sandbox.planfix.traffic_log import Journal, Message, Status

if TYPE_CHECKING:
    import httpx

    from sandbox.planfix.answer import Answer
    from sandbox.planfix.attachment import Attachment
    from sandbox.planfix.command import Link
    from sandbox.planfix.form import Form
    from sandbox.planfix.settings import Settings

MOST_RECEIVED = 32 * 1024 * 1024  # bytes of received files that the page can show
KNOWN_STATUSES = {"error", "sent", "read"}


class Account:
    """Holds an account's state and answers its chat API."""

    def __init__(self, name: str, url: str, settings: Settings, http: httpx.AsyncClient) -> None:
        self.name = name
        self.url = url
        self.settings = settings
        self.http = http
        self.journal = Journal()
        self.tasks_and_contacts = TasksAndContacts()
        self.offered = FileStore(f"{url}/filelink")
        self.received = FileStore(f"{url}/filelink", MOST_RECEIVED)
        self.faults: tuple[Fault, ...] = ()
        self.board = Board(http)

    def add_fault(self, fault: Fault) -> None:
        self.faults = add_fault(self.faults, fault)

    def clear_faults(self) -> None:
        self.faults = ()

    async def answer(self, form: Form) -> Answer | None:
        """Answer a call; None means that its connection is to be cut instead."""
        place = self.journal.open_call(time.time(), form)
        fault, self.faults = pick_fault(self.faults, form.last("cmd"))
        answer = await self._answer_under(fault, form)
        if answer is not None:
            self.journal.close_call(place, answer.status)
        return answer

    async def _answer_under(self, fault: Fault | None, form: Form) -> Answer | None:
        answer: Answer | None = None
        if fault is None:
            return await self._judge(form)
        match fault.mode:
            case Mode.SLOW:
                await asyncio.sleep(fault.seconds)
                answer = await self._judge(form)
            case Mode.LOST_ANSWER:
                await self._judge(form)
            case Mode.ERROR:
                answer = answers.outage(fault.status, fault.retry_after)
            case Mode.REFUSE:
                answer = answers.INVALID_PARAMETERS
            case Mode.UNAUTHORIZED:
                answer = answers.INVALID_TOKEN
            case Mode.DOWN:
                pass  # the call is neither carried out nor answered
        return answer

    async def _judge(self, form: Form) -> Answer:
        if not form.values:
            return answers.INVALID_PARAMETERS
        if form.last("planfix_token") != self.settings.planfix_token:
            return answers.INVALID_TOKEN
        try:
            command = parse_command(form)
        except InvalidParameters:
            return answers.INVALID_PARAMETERS
        if command.provider_id != self.settings.provider_id:
            return answers.INVALID_TOKEN
        return await self._carry_out(command)

    async def _carry_out(self, command: Command) -> Answer:
        match command:
            case NewMessage():
                return await self._record_message(command)
            case GetTask():
                return self._answer_task(command)
            case GetContact():
                return self._answer_contact(command)
            case UpdateContact():
                return self._update_contact(command)
            case MessageStatus():
                return self._record_status(command)
            case _:
                assert_never(command)

    async def _record_message(self, command: NewMessage) -> Answer:
        """Accept a message once its files are fetched; a file that is missing is recorded with its error."""
        files = [await self._receive(link) for link in command.attachments]
        chat = self.tasks_and_contacts.receive(command)
        message = Message(
            at=time.time(),
            chat_id=command.chat_id,
            contact_id=command.contact_id,
            contact_name=self.tasks_and_contacts.contact_of(chat).name,
            text=command.message,
            is_echo=command.is_echo,
            title=command.title or None,
            attachments=tuple(files),
            task=chat.task.number,
        )
        self.journal.messages.append(message)
        return answers.OK

    async def _receive(self, link: Link) -> Attachment:
        fetched = await fetch(self.http, link)
        if fetched.content is None:
            return fetched.attachment
        url = self.received.put(StoredFile(link.name, fetched.content))
        return replace(fetched.attachment, url=url)

    def _answer_task(self, command: GetTask) -> Answer:
        chat = self.tasks_and_contacts.chats.get(command.chat_id)
        if chat is None:
            return answers.TASK_NOT_FOUND
        return answers.task_answer(chat.task.number, as_string=self.settings.get_task_as_string)

    def _answer_contact(self, command: GetContact) -> Answer:
        contact = self.tasks_and_contacts.contacts.get(command.contact_id)
        return answers.contact_answer(contact.number) if contact else answers.UNKNOWN_CONTACT

    def _update_contact(self, command: UpdateContact) -> Answer:
        if command.contact_id not in self.tasks_and_contacts.contacts:
            return answers.INVALID_PARAMETERS
        self.tasks_and_contacts.update(command)
        return answers.OK

    def _record_status(self, command: MessageStatus) -> Answer:
        """Record the status of a message; Planfix treats a status it does not know as `sent`."""
        word = command.message_status if command.message_status in KNOWN_STATUSES else "sent"
        text = command.message_status_text
        self.journal.statuses.append(Status(command.message_id, word, text))
        return answers.OK
