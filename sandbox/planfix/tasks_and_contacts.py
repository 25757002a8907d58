"""The tasks of an account with the contacts who wrote them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from sandbox.planfix.command import ContactCard, NewMessage


@dataclass(frozen=True, slots=True)
class Task:
    """A Planfix task, known by its number."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A Planfix contact, as far as chats need one."""

    contact_id: str
    number: int
    name: str = ""
    phone: str = ""
    telegram_user_name: str = ""
    telegram_user_id: str = ""

    @property
    def label(self) -> str:
        """The best there is to call the contact by."""
        return self.name or self.phone or self.telegram_user_name or self.telegram_user_id


@dataclass(frozen=True, slots=True)
class Chat:
    """The thread that ties a chat id to a task, a contact, a channel."""

    chat_id: str
    task: Task
    contact_id: str
    channel: str = ""


class CardIndex:
    """Makes tasks and contacts as the first messages ask for them."""

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
        """File a message: the first one of a chat makes the task, a first contact the contact."""
        contact = self.update(message)
        known = self.chats.get(message.chat_id)
        task = self._rename(known, message, contact) if known else self._begin(message, contact)
        channel = message.channel or (known.channel if known else "")
        chat = Chat(message.chat_id, task, contact.contact_id, channel)
        self.chats[message.chat_id] = chat
        return chat

    def update(self, card: ContactCard) -> Contact:
        """Fill a contact's card; what the call leaves out stays."""
        contact = self.meet(card.contact_id)
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

    def meet(self, contact_id: str) -> Contact:
        """Return the contact, made now if it is new."""
        if contact_id not in self.contacts:
            self.contacts[contact_id] = Contact(contact_id, next(self._contact_numbers))
        return self.contacts[contact_id]

    def bind(self, chat: Chat, told: Contact) -> None:
        """Tie a task that an employee began to the chat the gateway found for it."""
        contact = self.meet(chat.contact_id)
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
        """Rename the task on every title, as Planfix was seen to (quirk Q1)."""
        if not message.title:
            return chat.task
        return replace(chat.task, name=f"{message.title} (WebChat, {contact.label})")
