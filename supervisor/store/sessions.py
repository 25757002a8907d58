"""Stores how numbers log in: their sessions, with entities and update states, and their login links."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, select, text, update

from session_worker.protocol.contract import NO_HASH
from supervisor.database import tables
from supervisor.database.tables import Login
from supervisor.database.transactions import upsert
from supervisor.database.writer import Claim, fresh_claims, require_fresh
from supervisor.encryption.vault import NONCE, NONCE_BYTES, Cell, hash_login
from supervisor.errors import SealBroken, SessionInUse
from supervisor.store import number_rows
from supervisor.store.values import Entity, LoginLink, Session, UpdatesMoved, UpdateState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey, Vault

_PLACE = ("pts", "qts", "date", "seq")
_session = tables.session.c
_forget_hashes = update(tables.entity).values(access_hash=NO_HASH)
_with_data_key = select(tables.session, tables.number.c.data_key).join(tables.number)
_move = (
    update(tables.session)
    .where(_session.number == bindparam("of_number"))
    .values({name: bindparam(name) for name in ("epoch", *_PLACE)})
)


def move_updates(connection: Connection, moves: list[UpdatesMoved]) -> list[bool]:
    """Move update states within a larger transaction, and return which claims were valid."""
    fresh = fresh_claims(connection, [move.claim for move in moves])
    moved = [
        {"of_number": claim.number, "epoch": claim.epoch, **asdict(updates)}
        for claim, updates in moves
        if claim in fresh
    ]
    if moved:
        connection.execute(_move, moved)
    return [move.claim in fresh for move in moves]


class Sessions:
    """The logins of all numbers; their keys are sealed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def save(self, number: str, epoch: int, session: Session) -> None:
        """Store the login.

        The update state and the entities of the same account stay, but not the access hashes.
        """
        claim = Claim(number, epoch)

        def unit(connection: Connection) -> None:
            require_fresh(connection, claim)
            key = self._vault.open_data_key(
                number, number_rows.require(connection, number).data_key
            )
            _save(connection, claim, session, key)

        await self._database.write(unit)

    async def drop(self, number: str, epoch: int, login: Login = Login.NEEDED) -> None:
        """Forget a login that Telegram has ended, because its key must never be used again.

        The update state stays, because the same account continues from there.
        """
        forget = update(tables.session).where(_session.number == number).values(auth_key=b"")

        def unit(connection: Connection) -> None:
            require_fresh(connection, Claim(number, epoch))
            connection.execute(forget)
            number_rows.change(connection, number, login=login)

        await self._database.write(unit)

    async def drop_foreign(self, number: str, epoch: int) -> None:
        """Forget a login that belongs to another account, and the peers only that account knows.

        The update state stays, because it belongs to the number's own account.
        """
        of_number = _entity.number == number
        in_chats = select(_chat.peer_id).where(_chat.number == number)
        forget = update(tables.session).where(_session.number == number).values(auth_key=b"")

        def unit(connection: Connection) -> None:
            require_fresh(connection, Claim(number, epoch))
            connection.execute(forget)
            connection.execute(
                delete(tables.entity).where(of_number, _entity.peer_id.not_in(in_chats))
            )
            number_rows.change(connection, number, login=Login.NEEDED)

        await self._database.write(unit)

    async def load(self, number: str) -> Session | None:
        held = await self._database.read(self._held, number)
        return held if held and held.auth_key else None

    async def is_held_by_another(self, number: str, auth_key: bytes) -> bool:
        return await self._database.read(_is_held_by_another, self._vault, number, auth_key)

    async def move_updates(self, number: str, epoch: int, updates: UpdateState) -> bool:
        """Return whether the state was moved; a worker of an older epoch moves nothing."""
        move = UpdatesMoved(Claim(number, epoch), updates)
        return await self._database.write_together(move_updates, move)

    def _held(self, connection: Connection, number: str) -> Session | None:
        row = connection.execute(_with_data_key.where(_session.number == number)).first()
        if row is None:
            return None
        return _value(row, self._vault.open_data_key(number, row.data_key))


# Nodes on one PostgreSQL import one after the other; on SQLite there is only one writer anyway.
_TAKE_TURN: Final = text("SELECT pg_advisory_xact_lock(32286, 61895)")
# A mark is the nonce of the sealed key, then the hash of the key. SQL counts bytes from 1.
_sealed_with = func.substr(_session.auth_key, NONCE.start + 1, NONCE_BYTES)
_marked_with = func.substr(_session.key_mark, 1, NONCE_BYTES)
_digest = func.substr(_session.key_mark, NONCE_BYTES + 1)
# An older version, which may still run on another node, stores a new key and leaves the mark.
_is_unmarked = _session.key_mark.is_(None) | (_marked_with != _sealed_with)


def import_login(connection: Connection, vault: Vault, held: Any, session: Session) -> None:
    """Store a login that comes from elsewhere for the number that has this row.

    Raise SessionInUse if another number has it: Telegram ends a login that has two connections.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_TAKE_TURN)
    if _is_held_by_another(connection, vault, held.digits, session.auth_key):
        raise SessionInUse
    epoch = number_rows.require(connection, held.digits).epoch
    key = vault.open_data_key(held.digits, held.data_key)
    _save(connection, Claim(held.digits, epoch), session, key)


def _is_held_by_another(connection: Connection, vault: Vault, number: str, auth_key: bytes) -> bool:
    others = _with_data_key.where(_session.number != number, _session.auth_key != b"")
    candidates = others.where(_is_unmarked | (_digest == hash_login(auth_key)))
    return any(_holds(row, vault, auth_key) for row in connection.execute(candidates))


def _holds(row: Any, vault: Vault, auth_key: bytes) -> bool:
    try:
        return _value(row, vault.open_data_key(row.number, row.data_key)).auth_key == auth_key
    except SealBroken:
        return False  # an error is raised when that number is started


def _save(connection: Connection, claim: Claim, session: Session, key: DataKey) -> None:
    row = connection.execute(_with_data_key.where(_session.number == claim.number)).first()
    held = _value(row, key) if row is not None else None
    if held is not None and not session.is_of_same_account(held):
        connection.execute(delete(tables.entity).where(_entity.number == claim.number))
    elif held is None or session.auth_key != held.auth_key:
        connection.execute(_forget_hashes.where(_entity.number == claim.number))
    merged = session.after(held) if held else session
    upsert(connection, tables.session, [_values(claim, merged, key)])
    number_rows.change(connection, claim.number, login=Login.DONE)


def _cell(number: str) -> Cell:
    return Cell("session", number, "auth_key")


def _values(claim: Claim, session: Session, key: DataKey) -> dict[str, Any]:
    place = session.updates
    sealed = key.seal(_cell(claim.number), session.auth_key)
    return {
        "number": claim.number,
        "epoch": claim.epoch,
        "dc_id": session.dc_id,
        "server_address": session.server_address,
        "port": session.port,
        "auth_key": sealed,
        "key_mark": sealed[NONCE] + hash_login(session.auth_key),
        "user_id": session.user_id,
        **(asdict(place) if place else dict.fromkeys(_PLACE)),
    }


def _value(row: Any, key: DataKey) -> Session:
    updates = None
    if row.pts is not None:
        updates = UpdateState(row.pts, row.qts, row.date, row.seq)
    auth_key = key.open(_cell(row.number), row.auth_key) if row.auth_key else b""
    return Session(row.dc_id, row.server_address, row.port, auth_key, row.user_id, updates)


_entity = tables.entity.c
_chat = tables.chat.c
_peers = select(_entity.peer_id, _entity.access_hash, _entity.username, _entity.phone, _entity.name)
_in_chat = (_chat.number == _entity.number) & (_chat.peer_id == _entity.peer_id)
_most_needed = _peers.outerjoin(tables.chat, _in_chat).order_by(
    _chat.peer_id.is_(None), _entity.epoch.desc(), _entity.peer_id.desc()
)


class Entities:
    """The known peers of all numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, number: str, epoch: int, entities: Iterable[Entity]) -> None:
        """Add new peers and overwrite known ones; if a peer is given twice, the last one counts."""
        by_peer = {entity.peer_id: entity for entity in entities}
        rows = [{"number": number, "epoch": epoch, **asdict(peer)} for peer in by_peer.values()]

        def unit(connection: Connection) -> None:
            require_fresh(connection, Claim(number, epoch))
            upsert(connection, tables.entity, rows)

        await self._database.write(unit)

    async def list(self, number: str, most: int | None = None) -> tuple[Entity, ...]:
        """Return the peers with a chat first, then the others, beginning with the newest."""
        query = _most_needed.where(_entity.number == number).limit(most)
        return tuple(Entity(*row) for row in await self._database.fetch(query))

    async def find_names(self, number: str, names: Collection[str]) -> set[str]:
        """Return which of these phones, and user names in lower case, a known peer has."""
        username = func.lower(_entity.username)
        query = select(username, _entity.phone).where(
            _entity.number == number, username.in_(names) | _entity.phone.in_(names)
        )
        return {name for row in await self._database.fetch(query) for name in row if name in names}


_link = tables.login_link.c


class LoginLinks:
    """The login links of all numbers, at most one for each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, number: str, link_hash: bytes, expires: datetime) -> None:
        """Store a new link in place of the number's previous one."""
        row = {"number": number, "link_hash": link_hash, "expires": expires, "is_used": False}

        def unit(connection: Connection) -> None:
            number_rows.require(connection, number)
            upsert(connection, tables.login_link, [row])

        await self._database.write(unit)

    async def find(self, link_hash: bytes) -> LoginLink | None:
        query = select(_link.number, _link.expires, _link.is_used)
        rows = await self._database.fetch(query.where(_link.link_hash == link_hash))
        return LoginLink(*rows[0]) if rows else None

    async def use(self, number: str) -> None:
        """Mark the number's link as used, because the number is logged in."""
        used = update(tables.login_link).where(_link.number == number).values(is_used=True)

        def unit(connection: Connection) -> None:
            connection.execute(used)

        await self._database.write(unit)
