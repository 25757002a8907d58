"""Decides which chats go to Planfix, as pure functions over values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from telethon.tl import types

from session_worker.protocol.chats import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from session_worker.protocol.chats import ChatSelection
    from session_worker.protocol.messages import Contact


@dataclass(frozen=True, slots=True)
class Folder:
    """The chats in one of Telegram's folders: those it names, and the kinds that it includes.

    What a folder hides only while it is read, muted or archived still belongs to it.
    """

    title: str
    included: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    has_contacts: bool = False
    has_others: bool = False
    has_bots: bool = False

    def contains(self, peer_id: int, *, is_contact: bool, is_bot: bool) -> bool:
        if peer_id in self.included or peer_id in self.excluded:
            return peer_id in self.included
        if is_bot:
            return self.has_bots
        return self.has_contacts if is_contact else self.has_others


@dataclass(frozen=True, slots=True)
class AddressBook:
    """What the account knows about its chats: its contacts, its folders, and who is a bot."""

    contacts: frozenset[int] = frozenset()
    folders: tuple[Folder, ...] = ()
    bots: frozenset[int] = frozenset()


def is_chosen(selection: ChatSelection, contact: Contact, book: AddressBook) -> bool:
    """Whether the chat with this person goes to Planfix; in doubt it stays private."""
    if selection.mode is Mode.ALL:
        return True
    if selection.mode is Mode.ONLY:
        return _is_named(selection, contact, book)
    if unknown_folders(selection, book) or (selection.people and not _is_identified(contact)):
        return False
    return not _is_named(selection, contact, book)


def unknown_folders(selection: ChatSelection, book: AddressBook) -> tuple[str, ...]:
    """Return the folders that the selection names and the account does not have."""
    known = {_plain(folder.title) for folder in book.folders}
    return tuple(title for title in selection.folders if _plain(title) not in known)


def needs_book(selection: ChatSelection) -> bool:
    """Whether the account's contacts or folders have to be known for a decision."""
    return selection.mode is not Mode.ALL and bool(selection.contacts or selection.folders)


def folder_of(shown: Any) -> Folder | None:
    """Make a value from a folder; None for the list of all chats, which is not a real folder."""
    if not isinstance(shown, types.DialogFilter | types.DialogFilterChatlist):
        return None
    return Folder(
        title=getattr(shown.title, "text", shown.title),
        included=_people_in((*shown.pinned_peers, *shown.include_peers)),
        excluded=_people_in(getattr(shown, "exclude_peers", ())),
        has_contacts=bool(getattr(shown, "contacts", False)),
        has_others=bool(getattr(shown, "non_contacts", False)),
        has_bots=bool(getattr(shown, "bots", False)),
    )


def _is_named(selection: ChatSelection, contact: Contact, book: AddressBook) -> bool:
    is_contact, is_bot = contact.peer_id in book.contacts, contact.peer_id in book.bots
    wanted = set(map(_plain, selection.folders))
    return (
        not _names_of(contact).isdisjoint(map(_plain, selection.people))
        or (selection.contacts and is_contact)
        or any(
            folder.contains(contact.peer_id, is_contact=is_contact, is_bot=is_bot)
            for folder in book.folders
            if _plain(folder.title) in wanted
        )
    )


def _is_identified(contact: Contact) -> bool:
    """Whether Telegram has said who this is, without which names and phones prove nothing."""
    return bool(contact.first_name or contact.last_name or contact.username or contact.phone)


def _names_of(contact: Contact) -> set[str]:
    full = f"{contact.first_name} {contact.last_name}"
    found = (str(contact.peer_id), contact.username, contact.phone, full)
    return {_plain(each) for each in found if each and each.strip()}


def _plain(name: str) -> str:
    """Reduce a name, user name or phone to what is compared."""
    digits = name.translate(_PHONE_SIGNS)
    if digits.isdecimal():
        return digits
    # The same letter may be written with one character or with two, as some phones do.
    return " ".join(normalize("NFC", name).removeprefix("@").casefold().split())


_PHONE_SIGNS: Mapping[int, None] = dict.fromkeys(map(ord, "+ ()-.\u00a0"))


def _people_in(peers: Iterable[Any]) -> frozenset[int]:
    return frozenset(int(peer.user_id) for peer in peers if hasattr(peer, "user_id"))
