"""The chats of an account that go to Planfix; nothing about any other chat leaves the worker."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from telethon.tl import functions, types

from session_worker.protocol.chats import (
    MOST_CHATS,
    ChatSelection,
    ChatsListed,
    ListChats,
    ListedChat,
    Mode,
)
from session_worker.protocol.messages import Contact
from session_worker.telegram.errors import FloodWait, TelegramError
from session_worker.telegram.reading.chat_rule import (
    AddressBook,
    folder_of,
    is_chosen,
    needs_book,
    unknown_folders,
)
from session_worker.telegram.reading.dialogs import Dialogs, entities_of
from session_worker.telegram.reading.people import contact_of, is_ignored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from session_worker.protocol.contract import Entity
    from session_worker.telegram.reading.people import People

BOOK_LASTS = 3600.0  # seconds; changes are announced, but an announcement may be missed
PAUSE = 1.0  # seconds until a question is asked again
_ABOUT_FOLDERS = (
    types.UpdateDialogFilter,
    types.UpdateDialogFilters,
    types.UpdateDialogFilterOrder,
)
_ABOUT_CONTACTS = (types.UpdateContactsReset, types.UpdatePeerSettings)

logger = logging.getLogger(__name__)


class Telegram(Protocol):
    """What is needed of the account."""

    @property
    def connections(self) -> int: ...

    async def ask(self, request: Any) -> Any: ...

    async def until_online(self) -> None: ...

    def report_folders(self, missing: Sequence[str]) -> None: ...


class ChosenChats:
    """Decides about each chat with what the account's contacts and folders are now."""

    def __init__(self, selection: ChatSelection, telegram: Telegram, people: People) -> None:
        self._selection = selection
        self._telegram = telegram
        self._people = people
        self._book: AddressBook | None = None if needs_book(selection) else AddressBook()
        self._read_at = 0.0
        self._read_on = 0
        self._reading = asyncio.Lock()
        self._changes = 0

    @property
    def are_all(self) -> bool:
        """Whether nothing is left out."""
        return self._selection.mode is Mode.ALL

    def remember(self, update: Any, entities: Iterable[Any] = ()) -> None:
        """Note what an update says about folders, contacts and bots."""
        if isinstance(update, _ABOUT_FOLDERS + _ABOUT_CONTACTS):
            self._read_at = 0.0
            self._changes += 1
        for user in entities:
            if isinstance(user, types.User) and not user.min and self._book is not None:
                self._remember_user(self._book, user)

    async def include(self, peer_id: int) -> bool:
        """Whether the chat with this person goes to Planfix; raises a TelegramError."""
        if self.are_all:
            return True
        return await self.include_contact(await self._people.contact(peer_id))

    async def include_contact(self, contact: Contact) -> bool:
        """Decide about a person whose names are known."""
        return self.are_all or is_chosen(self._selection, contact, await self._current_book())

    async def until_decided(self, peer_id: int, contact: Contact | None = None) -> bool:
        """Decide, and wait for Telegram if the folders or contacts have to be read first."""
        is_known = contact is not None and contact != Contact(peer_id=peer_id)
        while True:
            try:
                if contact is not None and is_known:
                    return await self.include_contact(contact)
                return await self.include(peer_id)
            except TelegramError as error:
                logger.info("the account's folders and contacts are not known yet: %s", error)
                wanted = error.seconds if isinstance(error, FloodWait) else None
                await asyncio.sleep(max(PAUSE, wanted or 0.0))
                await self._telegram.until_online()

    def may_report(self, entity: Entity) -> bool | None:
        """Whether a person's names and access hash may be stored; None if it is not known yet."""
        if self.are_all:
            return True
        if self._book is None:
            return None
        known = Contact(
            peer_id=entity.peer_id,
            first_name=entity.name or "",
            username=entity.username,
            phone=entity.phone,
        )
        return is_chosen(self._selection, known, self._book)

    async def list(self, command: ListChats) -> ChatsListed:
        """List the private chats; never raises a TelegramError."""
        selection = command.selection or self._selection
        try:
            book = await self._read_book() if needs_book(selection) else AddressBook()
            chats = [
                _listed(contact, command, is_chosen=is_chosen(selection, contact, book))
                async for contact in self._private_chats()
            ]
        except TelegramError as error:
            return ChatsListed(request_id=command.request_id, failure=str(error) or "offline")
        return ChatsListed(
            request_id=command.request_id,
            chats=tuple(chats[:MOST_CHATS]),
            is_complete=len(chats) <= MOST_CHATS,
            unknown_folders=unknown_folders(selection, book),
        )

    async def _current_book(self) -> AddressBook:
        async with self._reading:  # all who wait for the book get the same one
            while (book := self._book) is None or (needs_book(self._selection) and self._is_old()):
                await self._read_again()
            return book

    async def _read_again(self) -> None:
        connections, changes = self._telegram.connections, self._changes
        book = self._book = await self._read_book()
        # What was announced in the meantime may be missing.
        self._read_at = time.monotonic() if changes == self._changes else 0.0
        self._read_on = connections
        self._telegram.report_folders(unknown_folders(self._selection, book))

    def _is_old(self) -> bool:
        is_late = time.monotonic() - self._read_at > BOOK_LASTS or not self._read_at
        return is_late or self._read_on != self._telegram.connections

    async def _read_book(self) -> AddressBook:
        folders = await self._telegram.ask(functions.messages.GetDialogFiltersRequest())
        answer = await self._telegram.ask(functions.contacts.GetContactsRequest(hash=0))
        found = map(folder_of, getattr(folders, "filters", folders))
        return AddressBook(
            contacts=frozenset(each.user_id for each in answer.contacts),
            folders=tuple(folder for folder in found if folder is not None),
            bots=self._book.bots if self._book is not None else frozenset(),
        )

    def _remember_user(self, book: AddressBook, user: Any) -> None:
        contacts = book.contacts | {user.id} if user.contact else book.contacts - {user.id}
        bots = book.bots | {user.id} if user.bot else book.bots
        if (contacts, bots) != (book.contacts, book.bots):
            self._book = replace(book, contacts=contacts, bots=bots)

    async def _private_chats(self) -> AsyncIterator[Contact]:
        dialogs, me, count = Dialogs(), await self._people.me(), 0
        while (request := dialogs.next_request) is not None and count <= MOST_CHATS:
            page = await self._telegram.ask(request)
            people = entities_of(page)
            for dialog in page.dialogs:
                user = people.get(getattr(dialog.peer, "user_id", 0))
                is_shown = isinstance(user, types.User)
                if is_shown and not is_ignored(contact := contact_of(user), me):
                    count += 1
                    yield contact
            dialogs.take(page)


def _listed(contact: Contact, command: ListChats, *, is_chosen: bool) -> ListedChat:
    if not (is_chosen or command.with_names):
        return ListedChat(peer_id=contact.peer_id, is_chosen=False)
    return ListedChat(
        peer_id=contact.peer_id,
        is_chosen=is_chosen,
        name=f"{contact.first_name} {contact.last_name}".strip(),
        username=contact.username,
        phone=contact.phone,
    )
