"""Opens everything that is stored, with one database and one SECRET_KEY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.database.database import Database
from supervisor.encryption.vault import Vault, alarm_keys, link_keys
from supervisor.journal.erasure import Erasure
from supervisor.journal.journal import Journals
from supervisor.store.bots import Bots
from supervisor.store.heard import HeardRows
from supervisor.store.history import AlarmRows, AuditLog, History
from supervisor.store.keys import Keys
from supervisor.store.notifications import Notifications
from supervisor.store.number_rows import ChatChoices
from supervisor.store.numbers import Numbers, Runs
from supervisor.store.people import People
from supervisor.store.sessions import Entities, LoginLinks, Sessions
from supervisor.store.templates import Templates

if TYPE_CHECKING:
    from typing import Self


class Store:
    """Everything that the gateway stores."""

    def __init__(self, database_url: str, secret_key: str, patience: float | None = None) -> None:
        """Let the server end a transaction that pauses for `patience` seconds, if nodes share it."""
        vault = self.vault = Vault.from_secret_key(secret_key)
        self.database = Database(database_url, patience=patience)
        self.keys = Keys(self.database, vault)
        self.numbers = Numbers(self.database, vault)
        self.bots = Bots(self.database, vault)
        self.people = People(self.database)
        self.heard = HeardRows(self.database, vault)
        self.chat_choices = ChatChoices(self.database, vault)
        self.runs = Runs(self.database)
        self.sessions = Sessions(self.database, vault)
        self.entities = Entities(self.database)
        self.login_links = LoginLinks(self.database)
        self.journals = Journals(self.database, vault)
        self.erasure = Erasure(self.database)
        self.notifications = Notifications(self.database, vault)
        self.templates = Templates(self.database)
        self.audit = AuditLog(self.database)
        self.history = History(self.database)
        self.alarms = AlarmRows(self.database)
        self.alarm_keys = alarm_keys(secret_key)
        self.link_keys = link_keys(secret_key)

    async def start(self) -> None:
        """Check SECRET_KEY, then bring the tables up to date; a wrong key changes nothing."""
        try:
            await self.keys.verify()
            await self.database.start()
            await self.keys.remember()
        except BaseException:  # cancelled or failed: nothing stays open
            await self.stop()
            raise

    async def stop(self) -> None:
        await self.database.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
