"""Notifications and their recipients in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import case, func, insert, literal_column, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from supervisor.database import tables
from supervisor.database.notification_tables import notification, recipient
from supervisor.database.tables import Direction
from supervisor.database.transactions import insert_missing_returning
from supervisor.encryption.vault import Cell, DataKey
from supervisor.errors import NotificationUnknown, NumberUnknown
from supervisor.journal.pending import IS_PENDING
from supervisor.store.values import Lookup, NewRecipient, Progress, Queued, UnderWay

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault

QUEUED = "queued"
HANDED_OVER = "in_journal"
"""The state of a recipient whose message is in the journal, which knows the rest."""

_KEY = "notify:"
_row = tables.journal.c
_NEEDS_LOOKUP: ColumnElement[bool] = literal_column("notification.needs_lookup")
_IS_QUEUED = recipient.c.state == literal_column(f"'{QUEUED}'")  # for the partial index
_KEY_OF_RECIPIENT = literal_column(f"'{_KEY}'").op("||")(recipient.c.id.cast(recipient.c.name.type))
_IN_JOURNAL = (
    (_row.number == recipient.c.number)
    & (_row.direction == Direction.OUT)
    & (_row.key == _KEY_OF_RECIPIENT)
)


def journal_key(recipient_id: int) -> str:
    """Return the key under which the message to a recipient is in the journal, at most once."""
    return f"{_KEY}{recipient_id}"


class NewNotification(NamedTuple):
    """A notification to be stored; its body is sealed already."""

    id: str
    number: str
    body: bytes
    recipients: tuple[NewRecipient, ...]
    parts: int
    dedup_key: str | None = None
    not_before: float = 0.0
    expires: float | None = None
    needs_lookup: bool = False
    """Whether Planfix is asked for the rest before it is sent; until then it has no recipients."""


class Notifications:
    """The notifications of all bots and numbers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def seal(self, number: str, notification_id: str, body: bytes) -> bytes:
        return (await self._data_key(number)).seal(_cell(number, notification_id), body)

    async def add(self, new: NewNotification) -> str:
        """Store a notification; return its id, or that of the earlier one with its dedup key."""
        return await self._database.write_together(_insert, new, new.number)

    async def find_by_key(self, number: str, dedup_key: str) -> str | None:
        query = select(notification.c.id).where(
            notification.c.number == number, notification.c.dedup_key == dedup_key
        )
        rows = await self._database.fetch(query)
        return rows[0].id if rows else None

    async def find_by_message(self, number: str, peer_id: int, message_id: int) -> str:
        """Return the notification that became this message in Telegram."""
        mark = tables.telegram_message.c
        query = (
            select(recipient.c.notification)
            .join_from(recipient, tables.journal, _IN_JOURNAL)
            .join(tables.telegram_message, mark.row == _row.id)
            .where(recipient.c.number == number, recipient.c.peer_id == peer_id)
            .where(mark.number == number, mark.message_id == message_id, mark.change == 0)
        )
        if rows := await self._database.fetch(query):
            return str(rows[0].notification)
        raise NotificationUnknown

    async def number_of(self, notification_id: str) -> str:
        """Return who sends a notification."""
        query = select(notification.c.number).where(notification.c.id == notification_id)
        if rows := await self._database.fetch(query):
            return str(rows[0].number)
        raise NotificationUnknown

    async def body(self, number: str, notification_id: str) -> bytes:
        query = select(notification.c.body).where(
            notification.c.id == notification_id, notification.c.number == number
        )
        rows = await self._database.fetch(query)
        if not rows or rows[0].body is None:
            raise NotificationUnknown
        return (await self._data_key(number)).open(_cell(number, notification_id), rows[0].body)

    async def progress(self, number: str, notification_id: str) -> list[Progress]:
        """Return the recipients of a notification in the order in which they were given."""
        query = (
            select(
                *(recipient.c.state, recipient.c.error_code, _row.state, _row.error_code),
                *(_row.last_id, recipient.c.name, recipient.c.peer_id),
            )
            .join_from(recipient, tables.journal, _IN_JOURNAL, isouter=True)
            .where(recipient.c.notification == notification_id, recipient.c.number == number)
            .order_by(recipient.c.id)
        )
        return [Progress(*row) for row in await self._database.fetch(query)]

    async def next_queued(self, number: str, now: float, limit: int) -> list[Queued]:
        """Return the head of each chat that waits, the urgent ones first."""
        return await self._database.read(_next_queued, number, now, limit)

    async def next_due(self, number: str, now: float) -> float | None:
        """Return when the next scheduled message is due, if there is one."""
        is_later = (recipient.c.number == number) & _IS_QUEUED & (recipient.c.not_before > now)
        query = select(func.min(recipient.c.not_before)).where(is_later)
        due = (await self._database.fetch(query))[0][0]
        return None if due is None else float(due)

    async def next_for_lookup(self, number: str, behind: Lookup | None) -> Lookup | None:
        """Return the oldest notification, or the oldest behind this one, that waits for Planfix."""
        created, name = notification.c.created, notification.c.id
        query = select(created, name).where(notification.c.number == number, _NEEDS_LOOKUP)
        if behind is not None:
            query = query.where(tuple_(created, name) > behind)
        rows = await self._database.fetch(query.order_by(created, name).limit(1))
        return Lookup(*rows[0]) if rows else None

    async def finish(self, found: NewNotification) -> None:
        """Store what Planfix has answered, and the recipients; once, even if others have asked as well."""
        await self._database.write(_finish, found)

    async def numbers_with_due(self, now: float) -> frozenset[str]:
        query = select(recipient.c.number).where(_IS_QUEUED, recipient.c.not_before <= now)
        look_up = select(notification.c.number).where(_NEEDS_LOOKUP)
        found = await self._database.fetch(query.union(look_up))
        return frozenset(row.number for row in found)

    async def has_work(self, number: str) -> bool:
        """Whether anything waits, or is on its way."""
        query = select(recipient.c.id).where(recipient.c.number == number, _IS_QUEUED).limit(1)
        return bool(await self._database.fetch(query) or await self.under_way(number))

    async def under_way(self, number: str) -> dict[int, UnderWay]:
        """Return the messages in the journal that are not finished, by their rows."""
        query = _under_way(number, IS_PENDING)
        return {
            row.id: UnderWay(row.peer_id, row.parts) for row in await self._database.fetch(query)
        }

    async def ended_since(self, number: str, moment: datetime) -> list[tuple[datetime, UnderWay]]:
        """Return the messages that have ended since then, in the order of their ends."""
        query = _under_way(number, _row.done >= moment).order_by(_row.done)
        rows = await self._database.fetch(query)
        return [(row.done, UnderWay(row.peer_id, row.parts)) for row in rows]

    async def mark(self, ids: Collection[int], state: str, error: str | None = None) -> None:
        await self._mark(recipient.c.id.in_(sorted(ids)), state, error)

    async def fail_chat(self, number: str, peer_id: int, error: str) -> None:
        """Give up every message that still waits for this chat."""
        is_of_chat = (recipient.c.number == number) & (recipient.c.peer_id == peer_id)
        await self._mark(is_of_chat, "failed", error)

    async def chat_of_row(self, row: int) -> tuple[int, str | None]:
        """Return the chat and the error of a row in the journal."""
        query = select(_row.peer_id, _row.error_code).where(_row.id == row)
        rows = await self._database.fetch(query)
        return (rows[0].peer_id, rows[0].error_code) if rows else (0, None)

    async def _mark(self, which: ColumnElement[bool], state: str, error: str | None) -> None:
        statement = update(recipient).where(which, _IS_QUEUED)

        def unit(connection: Connection) -> None:
            connection.execute(statement.values(state=state, error_code=error))

        await self._database.write(unit)

    async def _data_key(self, number: str) -> DataKey:
        query = select(tables.number.c.data_key).where(tables.number.c.digits == number)
        rows = await self._database.fetch(query)
        if not rows:
            raise NumberUnknown
        return self._vault.open_data_key(number, rows[0].data_key)


def _insert(connection: Connection, items: list[NewNotification]) -> list[str]:
    """Store all that are not repeats, with their recipients."""
    created = tables.now()
    values = [
        {
            "id": item.id,
            "number": item.number,
            "dedup_key": item.dedup_key,
            "body": item.body,
            "created": created,
            "needs_lookup": item.needs_lookup or None,
        }
        for item in items
    ]
    try:
        new = insert_missing_returning(connection, notification, values, [notification.c.id])
    except IntegrityError as exc:
        raise NumberUnknown from exc  # purged after its key was checked
    ids = {row.id for row in new}
    rows = [row for item in items if item.id in ids for row in _recipient_rows(item)]
    if rows:
        connection.execute(insert(recipient), rows)
    earlier = _earlier(connection, [item for item in items if item.id not in ids])
    return [
        item.id if item.id in ids else earlier[item.number, item.dedup_key or ""] for item in items
    ]


def _finish(connection: Connection, found: NewNotification) -> None:
    waits = (notification.c.id == found.id) & _NEEDS_LOOKUP
    change = update(notification).where(waits).values(body=found.body, needs_lookup=None)
    rows = _recipient_rows(found)
    if connection.execute(change).rowcount and rows:
        connection.execute(insert(recipient), rows)


def _recipient_rows(item: NewNotification) -> list[dict[str, Any]]:
    return [
        {
            "notification": item.id,
            "number": item.number,
            "name": each.name,
            "peer_id": each.peer_id,
            "topic": each.topic,
            "is_bulk": len(item.recipients) > 1,
            "parts": item.parts,
            "not_before": item.not_before,
            "expires": item.expires,
            "state": QUEUED,
        }
        for each in item.recipients
    ]


def _earlier(
    connection: Connection, repeats: Sequence[NewNotification]
) -> dict[tuple[str, str], str]:
    if not repeats:
        return {}
    keys = {(item.number, item.dedup_key) for item in repeats}
    query = select(notification.c.id, notification.c.number, notification.c.dedup_key).where(
        tuple_(notification.c.number, notification.c.dedup_key).in_(keys)
    )
    return {(row.number, row.dedup_key): row.id for row in connection.execute(query)}


def _under_way(number: str, which: ColumnElement[bool]) -> Select[Any]:
    found = select(_row.id, _row.peer_id, _row.parts, _row.done).where(which)
    is_ours = (_row.number == number) & (_row.direction == Direction.OUT)
    return found.where(is_ours, _row.key.startswith(_KEY))


def _next_queued(connection: Connection, number: str, now: float, limit: int) -> list[Queued]:
    # Grouped, because a window function would sort all rows of a long queue with all their columns.
    only_bulk = func.min(case((recipient.c.is_bulk, 1), else_=0)).label("only_bulk")
    heads = select(func.min(recipient.c.id).label("head"), only_bulk)
    heads = heads.where(recipient.c.number == number, _IS_QUEUED, recipient.c.not_before <= now)
    heads = heads.group_by(recipient.c.peer_id).order_by("only_bulk", "head").limit(limit)
    first = heads.subquery()
    query = select(recipient, first.c.only_bulk).join(first, recipient.c.id == first.c.head)
    query = query.order_by(first.c.only_bulk, first.c.head)
    return [
        Queued(
            *(row.id, row.peer_id, row.parts, not row.only_bulk, row.expires),
            *(row.notification, row.topic),
        )
        for row in connection.execute(query)
    ]


def _cell(number: str, notification_id: str) -> Cell:
    return Cell("notification", f"{number}/{notification_id}", "body")
