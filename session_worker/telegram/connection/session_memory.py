"""Telethon's session, kept in memory, whose changes are reported."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from telethon import utils
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl.types import PeerUser

from session_worker.protocol.contract import (
    NO_HASH,
    EntitiesSeen,
    Entity,
    KeySaved,
    UpdateStateMoved,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_worker.protocol.contract import DataCentre, StoredSession, UpdateState
    from session_worker.session import Outbox

    MayReport = Callable[[Entity], bool | None]


# The database has all of them, and the hash of one that was displaced can be asked for again.
MOST_PEERS = 10_000
PORTION = 500  # peers in one event

Row = tuple[int, int, str | None, str | None, str | None]


class Names(NamedTuple):
    """What somebody can be looked up by, as far as it is known."""

    username: str | None = None
    phone: str | None = None


class WorkerSession(MemorySession):  # type: ignore[misc]  # telethon is untyped
    """Starts from what was stored, remembers what has changed and writes to no disk."""

    def __init__(
        self,
        stored: StoredSession | None,
        data_centre: DataCentre | None,
        *,
        is_bot: bool = False,
    ) -> None:
        super().__init__()
        self._rows: dict[int, Row] = {}
        self._changed: dict[int, Row] = {}
        self.is_bot = is_bot
        self._reported: KeySaved | None = None
        self.on_entities: Callable[[], None] = _ignore_changes
        if stored is not None:
            self._restore(stored)
        if data_centre is not None:
            self.set_dc(data_centre.dc_id, data_centre.host, data_centre.port)

    def _restore(self, stored: StoredSession) -> None:
        self.set_dc(stored.dc_id, stored.server_address, stored.port)
        self.auth_key = AuthKey(stored.auth_key)
        self._reported = self.key(stored.user_id)
        self._rows = {
            entity.peer_id: (
                entity.peer_id,
                entity.access_hash,
                entity.username,
                entity.phone,
                entity.name,
            )
            for entity in stored.entities
        }

    def key(self, user_id: int | None) -> KeySaved:
        return KeySaved(
            dc_id=self.dc_id,
            server_address=self.server_address,
            port=self.port,
            auth_key=self.auth_key.key,
            user_id=user_id,
        )

    def take_key(self, user_id: int) -> KeySaved | None:
        """Return the key of a session that is logged in, if it was not reported before."""
        key = self.key(user_id)
        if key == self._reported:
            return None
        self._reported = key
        return key

    def forget_key(self) -> None:
        """Make the next connection agree on a new key."""
        self.auth_key = None
        self._reported = None

    def take_entities(self) -> tuple[Entity, ...]:
        """Return the peers that became known or changed since the last call."""
        ids = list(self._changed)[:PORTION]
        rows = [self._changed.pop(peer_id) for peer_id in ids]
        return tuple(
            Entity(peer_id=row[0], access_hash=row[1], username=row[2], phone=row[3], name=row[4])
            for row in rows
        )

    def keep_changed(self, entities: Iterable[Entity]) -> None:
        """Return these entities again with the next changes."""
        for entity in entities:
            if (row := self._rows.get(entity.peer_id)) is not None:  # it may have been displaced
                self._changed[entity.peer_id] = row

    def process_entities(self, tlo: Any) -> None:
        for seen in self._entities_to_rows(tlo):
            # Peers with negative ids do not concern us; id 0 is Telethon's own note.
            if seen[0] <= 0:
                continue
            row = self._with_phone(seen)
            if self._rows.pop(row[0], None) != row:
                self._changed[row[0]] = row
            self._rows[row[0]] = row
        while len(self._rows) > MOST_PEERS:
            del self._rows[next(iter(self._rows))]
        if self._changed:
            self.on_entities()

    def keep_phone(self, peer_id: int, phone: str) -> None:
        """Remember the phone that somebody has shown to a bot, whom Telegram shows none."""
        row = self._rows.get(peer_id)
        if row is not None:
            self._rows[peer_id] = self._changed[peer_id] = (*row[:3], phone, row[4])
            self.on_entities()

    def _with_phone(self, row: Row) -> Row:
        """Add the phone that a bot was shown, which no answer of Telegram's contains."""
        known = self._rows.get(row[0])
        return (*row[:3], known[3], row[4]) if self.is_bot and known else row

    def get_entity_rows_by_id(self, id: int, exact: bool = True) -> tuple[int, int] | None:  # noqa: A002 - telethon's name
        row = self._rows.get(id if exact else utils.get_peer_id(PeerUser(id)))
        return (row[0], row[1]) if row and row[1] != NO_HASH else None

    def names(self, peer_id: int) -> Names | None:
        """Return user name and phone of a peer that is known from this login or an earlier one."""
        row = self._rows.get(peer_id)
        return Names(row[2], row[3]) if row else None

    def get_entity_rows_by_username(self, username: str) -> tuple[int, int] | None:
        return self._first(2, username)

    def get_entity_rows_by_phone(self, phone: str) -> tuple[int, int] | None:
        return self._first(3, phone)

    def get_entity_rows_by_name(self, name: str) -> tuple[int, int] | None:
        return self._first(4, name)

    def _first(self, column: int, value: str) -> tuple[int, int] | None:
        rows = (row for row in self._rows.values() if row[1] != NO_HASH)
        return next(((row[0], row[1]) for row in rows if row[column] == value), None)

    def get_update_states(self) -> tuple[()]:
        """Return nothing: the update state is kept outside the library, by acknowledgement."""
        return ()

    def set_update_state(self, entity_id: int, state: Any) -> None:
        """Do nothing, for the same reason."""


def _ignore_changes() -> None:
    """Stand in for a listener that has not been set."""


def _anybody(_: Entity) -> bool | None:
    return True


COLLECTING_TIME = 0.02  # seconds for which changes are collected into one event


class SessionReporter:
    """Collects changes and reports key, entities and update state, each state after the entities it needs."""

    def __init__(self, outbox: Outbox, session: WorkerSession) -> None:
        self._outbox = outbox
        self._session = session
        self._state: UpdateState | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.may_report: MayReport = _anybody
        session.on_entities = self._schedule_flush

    def report_key(self, user_id: int) -> None:
        """Report the session's key, once it is known to be logged in."""
        key = self._session.take_key(user_id)
        if key is not None:
            self._outbox.put(key)

    def report_update_state(self, state: UpdateState) -> None:
        """Report that everything up to this state is stored."""
        self._state = state
        self._schedule_flush()

    def flush(self) -> None:
        """Report all changes now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        undecided: list[Entity] = []
        while entities := self._session.take_entities():
            decided = {entity: self.may_report(entity) for entity in entities}
            undecided += [entity for entity, may in decided.items() if may is None]
            if chosen := tuple(entity for entity, may in decided.items() if may):
                self._outbox.put(EntitiesSeen(entities=chosen))
        self._session.keep_changed(undecided)
        if self._state is not None:
            self._outbox.put(UpdateStateMoved(update_state=self._state))
            self._state = None

    def _schedule_flush(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECTING_TIME, self.flush)
