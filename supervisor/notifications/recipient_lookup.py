"""Finds the recipient in Telegram that an address means, and who must not be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from supervisor.errors import GatewayError, NumberElsewhere, RecipientUnknown
from supervisor.messages.message_service import OutgoingMessage
from supervisor.notifications.notice import Rejected
from supervisor.notifications.recipients import AddressKind
from supervisor.store.values import NewRecipient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.notifications.recipients import Address
    from supervisor.store.sessions import Entities

UNKNOWN = "unknown_recipient"
MUTED = "muted"
STRANGER = "stranger"
_NAMED = {AddressKind.NAME, AddressKind.PHONE}


class Person(Protocol):
    """Somebody who registered with a bot."""

    @property
    def user_id(self) -> int: ...
    @property
    def alias(self) -> str | None:
        """The payload with which they started the bot; all who did so share this name."""
        ...

    @property
    def muted(self) -> bool: ...


class People(Protocol):
    """Who registered with a bot."""

    async def find(
        self,
        bot: str,
        /,
        *,
        user_id: int | None = None,
        username: str | None = None,
        phone: str | None = None,
    ) -> Person | None: ...

    async def list(self, bot: str, /) -> Sequence[Person]: ...

    async def find_muted(self, bot: str, user_ids: Collection[int], /) -> frozenset[int]: ...

    async def block(self, bot: str, user_id: int, /, *, is_blocked: bool) -> None: ...


class Found(NamedTuple):
    """The recipients that the addresses mean; one whom two addresses mean is found once."""

    recipients: tuple[NewRecipient, ...]
    rejected: tuple[Rejected, ...]
    is_open: bool = False
    """Whether somebody could not be looked up now, but may be found later."""


class _Refused(Exception):
    """Nothing may be sent to this address."""

    def __init__(self, code: str, detail: str = "", *, may_pass: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.may_pass = may_pass


class RecipientLookup:
    """Looks up recipients among the people of a bot, or the chats of a number."""

    def __init__(
        self,
        people: People,
        entities: Entities,
        dispatcher: Dispatcher,
        require_here: Callable[[str], Awaitable[None]],
        *,
        is_bot: bool,
    ) -> None:
        """Let `require_here` raise NumberElsewhere if the worker that has to be asked runs elsewhere."""
        self._people = people
        self._entities = entities
        self._dispatcher = dispatcher
        self._require_here = require_here
        self._is_bot = is_bot

    async def find(self, addresses: Sequence[Address]) -> Found:
        found: dict[tuple[int, int | None], NewRecipient] = {}
        rejected: list[Rejected] = []
        is_open = False
        known = await self._known_names(addresses)
        for address in addresses:
            try:
                peers = await self._peers(address, known)
            except _Refused as refused:
                detail = refused.detail
                rejected.append(Rejected(to=address.written, code=refused.code, detail=detail))
                is_open |= refused.may_pass
                continue
            for peer_id in peers:
                new = NewRecipient(address.written, peer_id, address.topic)
                found.setdefault((peer_id, address.topic), new)
        return Found(tuple(found.values()), tuple(rejected), is_open)

    async def _known_names(self, addresses: Sequence[Address]) -> set[str] | None:
        """Return the names of people whom a number knows that tells many; None if all may be told."""
        if self._is_bot or len(addresses) == 1:
            return None
        names = {each.value.lower() for each in addresses if each.kind in _NAMED}
        return await self._entities.find_names(self._dispatcher.number, names)

    async def _peers(self, address: Address, known: set[str] | None) -> list[int]:
        if not self._is_bot:
            return [await self._chat_of_number(address, known)]
        match address.kind:
            case AddressKind.ALIAS:
                return await self._people_of_alias(address.value)
            case AddressKind.CHAT:
                person = await self._people.find(self._bot, user_id=address.chat_id)
                return [_allowed(person) if person else address.chat_id]
            case AddressKind.PHONE:
                person = await self._people.find(self._bot, phone=address.value)
                if person is None:
                    raise _Refused(UNKNOWN, "nobody with this phone registered with the bot")
                return [_allowed(person)]
            case AddressKind.NAME:
                person = await self._people.find(self._bot, username=address.value)
                return [_allowed(person) if person else await self._resolve(address)]

    async def _people_of_alias(self, alias: str) -> list[int]:
        people = [each for each in await self._people.list(self._bot) if each.alias == alias]
        if not people:
            raise _Refused(UNKNOWN, "nobody started the bot with this alias")
        told = [person.user_id for person in people if not person.muted]
        if not told:
            raise _Refused(MUTED, "everybody with this alias blocked the bot or stopped it")
        return told

    async def _chat_of_number(self, address: Address, known: set[str] | None) -> int:
        """Find a chat of a number, which must neither write to many strangers nor look for them."""
        if address.kind is AddressKind.ALIAS:
            raise _Refused(UNKNOWN, "only bots have aliases")
        is_id = address.kind is AddressKind.CHAT
        if known is not None and not is_id and address.value.lower() not in known:
            raise _stranger()
        peer_id = address.chat_id if is_id else await self._resolve(address)
        if known is not None and not await self._dispatcher.chats.has(peer_id):
            raise _stranger()
        return peer_id

    async def _resolve(self, address: Address) -> int:
        is_phone = address.kind is AddressKind.PHONE
        draft = OutgoingMessage(
            planfix_id="",
            username=None if is_phone else address.value,
            phone=address.value if is_phone else None,
        )
        try:
            await self._require_here(self._dispatcher.number)
            return (await self._dispatcher.resolve(draft)).peer_id
        except NumberElsewhere:  # its node answers the whole call
            raise
        except GatewayError as error:  # unknown, offline or limited: the caller may try again
            may_pass = not isinstance(error, RecipientUnknown)
            raise _Refused(UNKNOWN, str(error), may_pass=may_pass) from error

    @property
    def _bot(self) -> str:
        return self._dispatcher.number


def _stranger() -> _Refused:
    return _Refused(STRANGER, "a number writes to many only if it has written to them before")


def _allowed(person: Person) -> int:
    if person.muted:
        raise _Refused(MUTED, "they blocked the bot or stopped it")
    return person.user_id
