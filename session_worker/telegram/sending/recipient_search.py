"""Finds the people to write to: who they are, and the access hash that addresses them."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Protocol

from telethon.tl import functions, types

from session_worker.failures import NOT_FOUND, Cause, judge
from session_worker.protocol.messages import Resolved
from session_worker.telegram.connection.session_memory import Names
from session_worker.telegram.errors import FloodWait, PeerUnknown, Refused, TelegramError
from session_worker.telegram.reading.dialogs import Dialogs
from session_worker.telegram.reading.people import contact_of
from session_worker.telegram.sending.requests import NOT_FOR_BOTS, UNNAMED_HASH, cause_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.protocol.messages import Failure, Resolve
    from session_worker.telegram.sending.flood_control import FloodControl


logger = logging.getLogger(__name__)

NO_CHAT = -1  # the chat that is named to the flood control for requests outside of any chat
_USERNAME = re.compile(r"(?:@|(?:https?://)?(?:t|telegram)\.me/)?([a-z]\w{3,31})/?", re.IGNORECASE)
_SHORTEST_PHONE = 7  # digits
# These say that nobody has that name; all other rejections mean something else.
_NOT_FOUND_CODES = frozenset(
    {
        "USERNAME_NOT_OCCUPIED",
        "USERNAME_INVALID",
        "PHONE_NOT_OCCUPIED",
        "PHONE_NUMBER_INVALID",
        "CONTACT_ID_INVALID",
    }
)


class Telegram(Protocol):
    """What finding people needs of the account."""

    async def ask(self, request: Any) -> Any: ...

    def access_hash(self, peer_id: int) -> int | None: ...

    def find_phone(self, phone: str) -> int | None: ...

    def names(self, peer_id: int) -> Names | None: ...


class RecipientSearch:
    """Tries what is known of a person: first the id, then the user name, then the phone."""

    def __init__(
        self, telegram: Telegram, flood_control: FloodControl, access_hashes: AccessHashes
    ) -> None:
        self._telegram = telegram
        self._flood_control = flood_control
        self._access_hashes = access_hashes

    async def resolve(self, command: Resolve) -> Resolved:
        """Find somebody or return why not; never raises a TelegramError."""
        try:
            user = await self._find(command)
        except TelegramError as error:
            return _failed(command, cause_of(error))
        if user is None or user.bot or user.deleted or user.is_self:
            return _failed(command, Cause(NOT_FOUND))
        return Resolved(request_id=command.request_id, contact=contact_of(user))

    async def _find(self, command: Resolve) -> Any:
        if command.user_id and (user := await self._by_id(command.user_id)):
            return user
        if not (command.username or command.phone):
            return None
        if command.username and (user := await self._by_username(command.username)):
            return user
        return await self._by_phone(command.phone) if command.phone else None

    async def _by_id(self, user_id: int) -> Any:
        known = self._telegram.access_hash(user_id)
        user = None if known is None else await self._under(known, user_id)
        if user is not None or not self._access_hashes.knows(user_id):
            return user
        try:
            return await self._under(await self._access_hashes.renew(user_id, known), user_id)
        except PeerUnknown:
            return None

    async def _under(self, access_hash: int, user_id: int) -> Any:
        request = functions.users.GetUsersRequest([types.InputUser(user_id, access_hash)])
        return _user(await self._ask(request), user_id)

    async def _by_username(self, username: str) -> Any:
        name = _USERNAME.fullmatch(username.strip())
        if name is None:
            return None
        return _peer(await self._ask(functions.contacts.ResolveUsernameRequest(name[1])))

    async def _by_phone(self, written: str) -> Any:
        phone = "".join(filter(str.isdigit, written))
        if len(phone) < _SHORTEST_PHONE:
            return None
        try:
            found = _peer(await self._ask(functions.contacts.ResolvePhoneRequest(phone)))
        except Refused as refusal:
            if refusal.text != NOT_FOR_BOTS:
                raise
            known = self._telegram.find_phone(phone)
            return await self._by_id(known) if known else None
        if found is None and self._flood_control.blocks_first_contacts:
            # Looking does no harm, but adding strangers to the contacts would make it worse.
            raise FloodWait(self._flood_control.first_contacts_blocked_for, "FLOOD_WAIT")
        return found or await self._by_import(phone)

    async def _by_import(self, phone: str) -> Any:
        """Add the phone to the contacts for as long as it takes to see whose it is."""
        contact = types.InputPhoneContact(secrets.randbits(31), "+" + phone, phone, "")
        found = await self._ask(functions.contacts.ImportContactsRequest([contact]))
        if found is None or not found.imported:
            return None
        user = _user(found.users, found.imported[0].user_id)
        if user is None:
            return None
        await self._delete_contact(user)
        # While the person was a contact of ours, they had the name that we gave them.
        return await self._by_id(user.id)

    async def _delete_contact(self, user: Any) -> None:
        named = types.InputUser(user.id, user.access_hash)
        try:
            await self._ask(functions.contacts.DeleteContactsRequest([named]))
        except TelegramError as error:
            logger.warning(
                "a contact that was added to find its owner remains in the address book: %s", error
            )

    async def _ask(self, request: Any) -> Any:
        """Ask; return None if the answer is that there is nobody."""
        try:
            return await self._flood_control.ask(self._telegram.ask, request, NO_CHAT)
        except PeerUnknown:
            return None
        except Refused as refusal:
            if refusal.text in _NOT_FOUND_CODES:
                return None
            raise


def _failed(command: Resolve, cause: Cause) -> Resolved:
    failure: Failure = judge(cause, 1, time.time())
    return Resolved(request_id=command.request_id, failure=failure)


def _peer(resolved: Any) -> Any:
    """Return the person in an answer, or None if it is a channel or a group."""
    if resolved is None or not isinstance(resolved.peer, types.PeerUser):
        return None
    return _user(resolved.users, resolved.peer.user_id)


def _user(users: Any, user_id: int) -> Any:
    found = (u for u in users or () if isinstance(u, types.User) and u.id == user_id)
    return next(found, None)


class AccessHashes:
    """Finds the access hash under which the present login may address somebody, if none is known or it was refused.

    Every answer of Telegram's contains the hashes of the people it mentions, so it is enough to ask
    for something that mentions the person.
    """

    def __init__(self, telegram: Telegram, flood_control: FloodControl) -> None:
        self._telegram = telegram
        self._flood_control = flood_control
        self._dialogs = Dialogs()
        self._lock = asyncio.Lock()

    def knows(self, peer_id: int) -> bool:
        """Whether this number knows somebody, even from an earlier login."""
        return self._telegram.names(peer_id) is not None

    async def renew(self, peer_id: int, stale: int | None = None) -> int:
        """Return an access hash other than the rejected one; raise PeerUnknown if there is none."""
        async with self._lock:
            async for known in self._known_after_each_request(peer_id):
                if known not in (None, stale):
                    return known
        raise PeerUnknown("PEER_ID_INVALID")

    async def _known_after_each_request(self, peer_id: int) -> AsyncIterator[int | None]:
        yield self._telegram.access_hash(peer_id)
        while (request := self._dialogs.next_request) is not None:
            self._dialogs.take(await self._ask(request, peer_id))
            yield self._telegram.access_hash(peer_id)
        names = self._telegram.names(peer_id) or Names()
        if names.username:
            # If the name now belongs to somebody else, it is their hash that becomes known.
            await self._ask(functions.contacts.ResolveUsernameRequest(names.username), peer_id)
            yield self._telegram.access_hash(peer_id)
        if names.phone:
            await self._ask(functions.contacts.ResolvePhoneRequest(names.phone), peer_id)
            yield self._telegram.access_hash(peer_id)

    async def _ask(self, request: Any, peer_id: int) -> Any:
        """Ask; return None if Telegram rejects the request, because another way may succeed."""
        try:
            return await self._flood_control.ask(self._telegram.ask, request, peer_id)
        except (PeerUnknown, Refused) as refusal:
            logger.info("%s for %s: %s", type(request).__name__, peer_id, refusal)
            return None


class AccessHashesOfBot(AccessHashes):
    """Addresses people and groups without a hash, as a bot may do with everyone it has met."""

    async def renew(self, peer_id: int, stale: int | None = None) -> int:
        """Try without a hash; raise PeerUnknown if that is what was refused."""
        if stale == UNNAMED_HASH:
            logger.info("Telegram does not know %s as somebody whom this bot has met", peer_id)
            raise PeerUnknown("PEER_ID_INVALID")
        return UNNAMED_HASH
