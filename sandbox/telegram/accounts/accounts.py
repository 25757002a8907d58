"""The accounts of the data centre."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import Channel
from sandbox.telegram.records.event_log import EventLog
from sandbox.telegram.records.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.telegram.accounts.password_srp import Password
    from sandbox.telegram.files.media import Photo
    from sandbox.telegram.records.chats import Chat
    from sandbox.telegram.records.folders import Folder

SERVICE_ID = 777000
_FIRST_USER_ID = 1_000_001
_SHORTEST_PHONE = 5
_BOT_NAME = re.compile(r"[A-Za-z]\w{1,28}bot", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of an account's address book."""

    first_name: str
    last_name: str
    phone: str


@dataclass(slots=True, eq=False)
class BotProfile:
    """What makes an account a bot."""

    # The part of its token after its id.
    secret: str = field(default_factory=lambda: "AA" + secrets.token_urlsafe(25)[:33])
    # The people whom it may write to, because they have written to it.
    acquaintances: set[int] = field(default_factory=set)
    # Its commands by scope and language, and its menu button by user, 0 for everybody.
    commands: dict[tuple[bytes, str], list[Any]] = field(default_factory=dict)
    menu_buttons: dict[int, Any] = field(default_factory=dict)
    # The events that are counted by qts: who has blocked it, and who no longer does.
    log: EventLog = field(default_factory=EventLog)


@dataclass(slots=True, eq=False)
class Account:
    """A Telegram user, with everything that Telegram stores about it."""

    id: int
    # A bot has no phone; where a phone names an account, its user name in lower case stands for it.
    phone: str
    first_name: str
    last_name: str = ""
    username: str | None = None
    phone_visible: bool = True
    bot_profile: BotProfile | None = None
    # The language of the phone.
    language: str = "en"
    # The bio, and whether others can see it.
    about: str = ""
    about_visible: bool = True
    # The code for every login to this account.
    code: str = field(default_factory=lambda: f"{secrets.randbelow(10**5):05}")
    password: Password | None = None
    contacts: dict[int, Contact] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    folders: dict[int, Folder] = field(default_factory=dict)
    box: Mailbox = field(default_factory=Mailbox)
    log: EventLog = field(default_factory=EventLog)
    # Profile photos, the newest last.
    photos: list[Photo] = field(default_factory=list)
    # Forwarded messages name this account without a link to it.
    hides_in_forwards: bool = False
    # File references of earlier epochs have expired.
    reference_epoch: int = 0
    # How often somebody logged in by code, QR code or token.
    logins: int = 0
    # How often a key was signed in, in any way; each time has its own access hashes.
    sign_ins: int = 0
    # The most connections that one of its auth keys ever had open at the same time.
    peak_per_key: int = 0

    @property
    def bot(self) -> bool:
        return self.bot_profile is not None

    @property
    def bot_token(self) -> str:
        """The secret that a bot logs in with."""
        return f"{self.id}:{self.bot_profile.secret}" if self.bot_profile else ""


class Accounts:
    """All accounts, indexed by id, phone and username, and their chats by peer number."""

    def __init__(self) -> None:
        self._by_id: dict[int, Account] = {}
        self._by_phone: dict[str, Account] = {}
        self._by_username: dict[str, Account] = {}
        self._next_id = _FIRST_USER_ID
        self.chats: dict[int, Chat] = {}
        self.service = Account(SERVICE_ID, "42777", "Telegram")
        self._keep(self.service)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def __getitem__(self, account_id: int) -> Account:
        return self._by_id[account_id]

    def get(self, account_id: int) -> Account | None:
        return self._by_id.get(account_id)

    def find_by_phone(self, phone: str) -> Account | None:
        return self._by_phone.get(bare_phone(phone))

    def find_by_username(self, username: str) -> Account | None:
        return self._by_username.get(username.lower().lstrip("@"))

    def channels_of(self, account: Account) -> list[Channel]:
        found = (chat for chat in self.chats.values() if account.id in chat.members)
        return [chat for chat in found if isinstance(chat, Channel)]

    def find(self, name: str) -> Account | None:
        """Find a person by phone, or a bot by user name."""
        named = self.find_by_username(name)
        return named if named and named.bot else self.find_by_phone(name)

    def add_bot(self, username: str, name: str) -> Account:
        """Make a bot; its user name is taken by nobody else."""
        if not _BOT_NAME.fullmatch(username):
            raise RpcError("USERNAME_INVALID")
        if self.find_by_username(username):
            raise RpcError("USERNAME_OCCUPIED")
        bot = Account(self._next_id, username.lower(), name, bot_profile=BotProfile())
        self._next_id += 1
        self._keep(bot)
        self.rename(bot, username)
        return bot

    def add(self, phone: str, first_name: str, last_name: str = "") -> Account:
        """Make an account; a phone belongs to one account only."""
        phone = bare_phone(phone)
        if len(phone) < _SHORTEST_PHONE or not phone.isdecimal():
            raise RpcError("PHONE_NUMBER_INVALID")
        if phone in self._by_phone:
            raise RpcError("PHONE_NUMBER_OCCUPIED")
        account = Account(self._next_id, phone, first_name, last_name)
        self._next_id += 1
        self._keep(account)
        return account

    def rename(self, account: Account, username: str | None) -> None:
        """Give an account another username, or none."""
        taken = self.find_by_username(username) if username else None
        if taken not in (None, account):
            raise RpcError("USERNAME_OCCUPIED")
        if account.username:
            self._by_username.pop(account.username.lower(), None)
        account.username = username.lstrip("@") if username else None
        if account.username:
            self._by_username[account.username.lower()] = account

    def _keep(self, account: Account) -> None:
        self._by_id[account.id] = account
        self._by_phone[account.phone] = account


def bare_phone(phone: str) -> str:
    """Reduce a phone number to its digits, as Telegram compares them."""
    return phone.translate(str.maketrans("", "", "+ ()-"))
