"""The addresses that a notification may be sent to, as callers write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from supervisor.errors import AddressMalformed

LONGEST_ADDRESS = 100  # characters
LARGEST_TOPIC = 2**31 - 1
_USER = re.compile(r"[1-9][0-9]{0,15}")
_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{3,31})")
_PHONE = re.compile(r"\+([0-9]{5,15})")
_CHAT = re.compile(r"chat:(-?[1-9][0-9]{0,17})(?:/topic:([1-9][0-9]{0,9}))?")
_ALIAS = re.compile(r"alias:([\w-]{1,64})")
_FILLING = re.compile(r"[\s().\u00a0-]")


class AddressKind(StrEnum):
    """What kind of name an address has for its recipient."""

    CHAT = "chat"  # also a person, by their id
    NAME = "name"
    PHONE = "phone"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a notification is for, as the caller named them."""

    written: str
    kind: AddressKind
    value: str
    topic: int | None = None

    @property
    def chat_id(self) -> int:
        return int(self.value)


def parse_address(written: object) -> Address:
    """Read an address; raise AddressMalformed if it has another form."""
    text = str(written).strip()
    if len(text) > LONGEST_ADDRESS:
        raise AddressMalformed(f"{text[:LONGEST_ADDRESS]}…")
    if _USER.fullmatch(text):
        return Address(text, AddressKind.CHAT, text)
    if (chat := _CHAT.fullmatch(text)) and int(chat[2] or 0) <= LARGEST_TOPIC:
        topic = int(chat[2]) if chat[2] else None
        return Address(text, AddressKind.CHAT, chat[1], topic)
    if phone := _PHONE.fullmatch(_FILLING.sub("", text)):
        return Address(text, AddressKind.PHONE, phone[1])
    if alias := _ALIAS.fullmatch(text):
        return Address(text, AddressKind.ALIAS, alias[1])
    if text.startswith("@") and (name := _NAME.fullmatch(text)):
        return Address(text, AddressKind.NAME, name[1])
    raise AddressMalformed(text)


def parse_loosely(written: str) -> Address:
    """Read an address as people fill it into a contact's card, such as a bare user name or a link."""
    text = re.sub(r"^(https?://)?(t\.me|telegram\.me)/", "@", written.strip(), flags=re.IGNORECASE)
    if name := _NAME.fullmatch(text):
        return Address(text, AddressKind.NAME, name[1])
    return parse_address(text)


def parse_phone(written: str) -> Address:
    """Read a phone, with or without `+`."""
    digits = _FILLING.sub("", written).removeprefix("+")
    return parse_address(f"+{digits}")
