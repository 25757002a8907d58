"""Who the people in the chats are, and what they say about themselves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from telethon import utils
from telethon.tl import functions, types

from session_worker.protocol.messages import Contact
from session_worker.telegram.errors import FloodWait, PeerUnknown, Refused, TelegramError
from session_worker.telegram.reading.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    Ask = Callable[[Any], Awaitable[Any]]

logger = logging.getLogger(__name__)

MOST_KEPT = 300  # people
SERVICE = 777000  # the account from which Telegram itself writes
IGNORED_BOTS = frozenset({"planfix_bot"})


def contact_of(user: Any) -> Contact:
    """Take from a user what Planfix may know."""
    return Contact(
        peer_id=user.id,
        first_name=plain(user.first_name or ""),
        last_name=plain(user.last_name or ""),
        username=_username(user),
        phone=user.phone,
        photo_id=getattr(user.photo, "photo_id", None),
    )


def names_of(entities: Mapping[int, Any]) -> dict[int, str]:
    """Return the names of the users and channels that came along with a message."""
    return {marked: utils.get_display_name(entity) for marked, entity in entities.items()}


def is_ignored(contact: Contact, me: int) -> bool:
    """Whether this chat does not concern Planfix."""
    username = (contact.username or "").lower()
    return contact.peer_id in {me, SERVICE} or username in IGNORED_BOTS


class People:
    """Remembers the people who were mentioned recently and asks Telegram about the others."""

    def __init__(
        self,
        ask: Ask,
        owner: Callable[[], int | None] = lambda: None,
        phone_of: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self._ask = ask
        self._phone_of = phone_of
        self._owner = owner
        self._known: OrderedDict[int, Contact] = OrderedDict()
        self._me: int | None = None
        self._quiet_until = 0.0

    def learn(self, entities: Iterable[Any]) -> None:
        for user in entities:
            if isinstance(user, types.User):
                self._add(user)

    async def me(self) -> int:
        """Return our own id."""
        self._me = self._me or self._owner()
        if self._me is None:
            users = await self._ask(functions.users.GetUsersRequest([types.InputUserSelf()]))
            self._me = int(users[0].id)
        return self._me

    async def contact(self, user_id: int) -> Contact:
        """Return who somebody is; only the id, if Telegram does not show this person."""
        if user_id not in self._known:
            try:
                self.learn(await self._ask(functions.users.GetUsersRequest([user_id])))
            except (PeerUnknown, Refused) as error:
                logger.info("Telegram does not show the user %s: %s", user_id, error)
        contact = self._known.get(user_id) or Contact(peer_id=user_id)
        phone = contact.phone or self._phone_of(user_id)
        return contact if phone == contact.phone else contact.changed(phone=phone)

    async def contact_at_once(self, user_id: int) -> Contact:
        """Like `contact`, but if Telegram wants a long pause, return only the id; messages go before names."""
        if user_id not in self._known and time.monotonic() < self._quiet_until:
            return Contact(peer_id=user_id)
        try:
            return await self.contact(user_id)
        except FloodWait as wait:
            pause = BIO_PAUSE if wait.seconds is None else wait.seconds
            if pause < LONGEST_PAUSE:
                raise
            logger.warning("names are not asked for during the next %.0f s: %s", pause, wait)
            self._quiet_until = time.monotonic() + pause
            return Contact(peer_id=user_id)

    def forget(self, user_id: int) -> None:
        """Ask again next time, because something about this person has changed."""
        self._known.pop(user_id, None)

    def _add(self, user: Any) -> None:
        contact = contact_of(user)
        known = self._known.get(user.id)
        if user.min:
            if known is None:
                return
            # A shortened user contains only the names.
            names = {"first_name": contact.first_name, "last_name": contact.last_name}
            contact = known.model_copy(update=names)
        self._known[user.id] = contact
        self._known.move_to_end(user.id)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)


def _username(user: Any) -> str | None:
    more = (name.username for name in user.usernames or () if name.active)
    username: str | None = user.username or next(more, None)
    return username


LONGEST_PAUSE = 60.0  # seconds that messages wait for the names of somebody
BIO_LIMIT = 3.0  # seconds; the first message of a chat waits no longer for the bio of its author
BIO_PAUSE = 60.0  # seconds, if Telegram wants a pause without saying how long
LONGEST_BIO = 300  # characters; Telegram allows 140
MOST_BIOS = 2000  # people


class Profiles:
    """Asks for each person's bio once, and makes no message wait long for it."""

    def __init__(self, ask: Ask, limit: float = BIO_LIMIT) -> None:
        self._ask = ask
        self._limit = limit
        self._known: OrderedDict[int, str] = OrderedDict()
        self._quiet_until = 0.0

    async def bio(self, user_id: int) -> str:
        """Return the bio, or nothing if there is none, it is hidden or it takes too long."""
        if user_id not in self._known:
            self._known[user_id] = await self._look(user_id)
            if len(self._known) > MOST_BIOS:
                self._known.popitem(last=False)
        return self._known[user_id]

    async def _look(self, user_id: int) -> str:
        if time.monotonic() < self._quiet_until:
            return ""
        try:
            async with asyncio.timeout(self._limit):
                found = await self._ask(functions.users.GetFullUserRequest(user_id))
        except FloodWait as wait:
            self._quiet_until = time.monotonic() + (wait.seconds or BIO_PAUSE)
        except (TelegramError, TimeoutError) as error:
            logger.info(
                "the bio of %s could not be fetched: %s %s", user_id, type(error).__name__, error
            )
        else:
            return plain(found.full_user.about or "")[:LONGEST_BIO].strip()
        return ""
