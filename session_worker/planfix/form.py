"""The forms that Planfix's chat API takes, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.contract import PlanfixAccount
    from session_worker.protocol.messages import Contact, PlanfixStatus

Form = list[tuple[str, str]]

# Written so that no text makes it slow: nothing in it can be divided in two ways.
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64}){0,4}"
    r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}(?![\w-])"
)

_BLANK = " \u115f\u1160\u2800\u3164\uffa0"  # printable, but with nothing to be seen


@dataclass(frozen=True, slots=True)
class PlanfixMessage:
    """One message, ready for Planfix."""

    contact: Contact
    text: str
    is_echo: bool = False
    title: str = ""
    photo_link: str = ""
    # None where Planfix has met the contact before.
    bio: str | None = None
    files: tuple[tuple[str, str], ...] = ()


class Forms:
    """Fills in forms for the chats of one number."""

    def __init__(self, account: PlanfixAccount, number: str) -> None:
        self._account = account
        self._number = number

    def chat_id(self, peer_id: int) -> str:
        return f"{self._number}_{peer_id}"

    def new_message(self, line: PlanfixMessage) -> Form:
        contact = line.contact
        email = self._account.user_email if line.is_echo else None
        return [
            *self._head("newMessage"),
            ("channel", self._number),
            ("chatId", self.chat_id(contact.peer_id)),
            ("message", line.text),
            *_filled(("title", line.title)),
            *_card(contact, line.photo_link),
            *_introduction(contact, line.bio),
            *_filled(("telegramUserName", contact.username)),
            ("telegramUserId", str(contact.peer_id)),
            *_filled(("isEcho", "true" if line.is_echo else ""), ("userEmail", email)),
            *_attachments(line.files),
        ]

    def get_task(self, peer_id: int) -> Form:
        return [*self._head("getTask"), ("chatId", self.chat_id(peer_id))]

    def update_contact(self, contact: Contact, photo_link: str) -> Form:
        return [*self._head("updateContact"), *_card(contact, photo_link)]

    def message_status(self, planfix_id: str, status: PlanfixStatus, text: str) -> Form:
        return [
            *self._head("messageStatus"),
            ("messageId", planfix_id),
            ("messageStatus", status.value),
            *_filled(("messageStatusText", text)),
        ]

    def _head(self, command: str) -> Form:
        return [
            ("cmd", command),
            ("providerId", self._account.provider_id),
            ("planfix_token", self._account.token),
        ]


def full_name(contact: Contact) -> str:
    """Call a contact by the best name there is."""
    name = f"{_seen(contact.first_name)} {_seen(contact.last_name)}".strip()
    handle = contact.username and f"@{contact.username}"
    return name or handle or contact.phone or f"Telegram {contact.peer_id}"


def _seen(name: str) -> str:
    """Take a name in which there is nothing to be seen for none, as Planfix would."""
    return name if any(sign.isprintable() and sign not in _BLANK for sign in name) else ""


def _card(contact: Contact, photo_link: str) -> Form:
    # A contact without a first name is called by what there is: Planfix insists on one.
    first, last = _seen(contact.first_name), _seen(contact.last_name)
    first, last = (first, last) if first else (full_name(contact), "")
    return [
        ("contactId", str(contact.peer_id)),
        ("contactName", first),
        *_filled(("contactLastName", last), ("contactIco", photo_link)),
        *_filled(("contactPhone", contact.phone)),
    ]


def _introduction(contact: Contact, bio: str | None) -> Form:
    """Tell of a new contact what no other field has: its public link, what it says of itself."""
    if bio is None:
        return []
    link = f"https://t.me/{contact.username}" if contact.username else ""
    address = _EMAIL.search(bio)
    data = "\n".join(line for line in (link, bio) if line)
    return _filled(("contactEmail", address and address[0]), ("contactData", data))


def _attachments(files: Sequence[tuple[str, str]]) -> Form:
    """Name each file beside its link; the pairs keep their order."""
    return [
        field
        for name, link in files
        for field in (("attachments[name]", name), ("attachments[url]", link))
    ]


def _filled(*fields: tuple[str, str | None]) -> Form:
    return [(name, value) for name, value in fields if value]
