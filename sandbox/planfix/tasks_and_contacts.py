"""The tasks of an account and the contacts who wrote in them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from sandbox.planfix.command import ContactCard, NewMessage


@dataclass(frozen=True, slots=True)
class Task:
    """A Planfix task, identified by its number."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A Planfix contact, with the fields that chats need."""

    contact_id: str
    number: int
    name: str = ""
    phone: str = ""
    telegram_user_name: str = ""
    telegram_user_id: str = ""

    @property
    def label(self) -> str:
        """The best available name of the contact."""
        return self.name or self.phone or self.telegram_user_name or self.telegram_user_id


@dataclass(frozen=True, slots=True)
class Chat:
    """The connection of a chat id with a task, a contact and a channel."""

    chat_id: str
    task: Task
    contact_id: str
    channel: str = ""


class TasksAndContacts:
    """Creates tasks and contacts for first messages."""

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.contacts: dict[str, Contact] = {}
        self._task_numbers = itertools.count(1001)
        self._contact_numbers = itertools.count(501)

    def open_task(self, name: str) -> Task:
        return Task(next(self._task_numbers), name)

    def contact_of(self, chat: Chat) -> Contact:
        return self.contacts[chat.contact_id]

    def receive(self, message: NewMessage) -> Chat:
        """Store a message; the first message of a chat creates its task, and a new contact if needed."""
        contact = self.update(message)
        known = self.chats.get(message.chat_id)
        task = self._rename(known, message, contact) if known else self._begin(message, contact)
        channel = message.channel or (known.channel if known else "")
        chat = Chat(message.chat_id, task, contact.contact_id, channel)
        self.chats[message.chat_id] = chat
        return chat

    def update(self, card: ContactCard) -> Contact:
        """Update a contact; fields that the call leaves out stay the same."""
        contact = self._find_or_add_contact(card.contact_id)
        message = card if isinstance(card, NewMessage) else None
        fresh = replace(
            contact,
            name=f"{card.contact_name} {card.contact_last_name}".strip(),
            phone=card.contact_phone or contact.phone,
            telegram_user_name=(message and message.telegram_user_name)
            or contact.telegram_user_name,
            telegram_user_id=(message and message.telegram_user_id) or contact.telegram_user_id,
        )
        self.contacts[contact.contact_id] = fresh
        return fresh

    def _find_or_add_contact(self, contact_id: str) -> Contact:
        """Return the contact, which is created if it is new."""
        if contact_id not in self.contacts:
            self.contacts[contact_id] = Contact(contact_id, next(self._contact_numbers))
        return self.contacts[contact_id]

    def bind(self, chat: Chat, told: Contact) -> None:
        """Connect a task that an employee began with the chat that the gateway found for it."""
        contact = self._find_or_add_contact(chat.contact_id)
        self.contacts[chat.contact_id] = replace(
            contact,
            name=contact.name or told.name,
            phone=contact.phone or told.phone,
            telegram_user_name=contact.telegram_user_name or told.telegram_user_name,
            telegram_user_id=contact.telegram_user_id or told.telegram_user_id,
        )
        self.chats.setdefault(chat.chat_id, chat)

    def _begin(self, message: NewMessage, contact: Contact) -> Task:
        return self.open_task(message.title or contact.label)

    @staticmethod
    def _rename(chat: Chat, message: NewMessage, contact: Contact) -> Task:
        """Rename the task whenever a title comes, as Planfix was seen to do (quirk Q1)."""
        if not message.title:
            return chat.task
        return replace(chat.task, name=f"{message.title} (WebChat, {contact.label})")
