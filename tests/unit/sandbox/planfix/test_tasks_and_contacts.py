"""Tasks, contacts of an account."""

from __future__ import annotations

from typing import Any

from sandbox.planfix.command import NewMessage
from sandbox.planfix.tasks_and_contacts import Chat, Contact, Task, TasksAndContacts


def message(**fields: Any) -> NewMessage:
    hello = {
        "cmd": "newMessage",
        "providerId": "telegram",
        "chatId": "1",
        "contactId": "2",
        "contactName": "Olena",
        "message": "Hello",
    }
    return NewMessage.model_validate(hello | fields)


def test_what_a_message_leaves_out_stays() -> None:
    """A phone, a Telegram name, a channel once told are kept."""
    known = TasksAndContacts()
    known.receive(message(contactPhone="380", telegramUserName="olenak", channel="381"))

    chat = known.receive(message())

    contact = known.contact_of(chat)
    assert (contact.phone, contact.telegram_user_name, chat.channel) == ("380", "olenak", "381")


def test_random_contact_ids_make_contacts_anew() -> None:
    """A contact id that changes makes a new contact each time, as gateways found out."""
    known = TasksAndContacts()

    for number in range(3):
        known.receive(message(contactId=str(number)))

    assert [contact.number for contact in known.contacts.values()] == [501, 502, 503]


def test_bound_task_does_not_displace_the_chat_s_own() -> None:
    """A chat that has a task keeps it when an employee's new task turns out to be for it."""
    known = TasksAndContacts()
    own = known.receive(message()).task

    known.bind(Chat("1", Task(7, "other"), "2"), Contact("", 0, phone="380"))

    assert known.chats["1"].task == own
    assert known.contacts["2"] == Contact("2", 501, name="Olena", phone="380")
