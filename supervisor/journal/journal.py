"""The journal: messages in both directions, sealed and stored before anything is done with them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import func, select, update

from session_worker.protocol.messages import ChatMemory, Incoming
from session_worker.protocol.outgoing import Outgoing
from supervisor.database import tables
from supervisor.database.tables import Direction
from supervisor.database.writer import Claim, require_fresh
from supervisor.encryption.vault import Cell
from supervisor.errors import NumberUnknown, SealBroken
from supervisor.journal import browsing, chats, outcomes, pending, receipts
from supervisor.journal.first_contacts import Budgets
from supervisor.journal.intake import NewOutgoing, find_outgoing, insert_incoming, insert_outgoing
from supervisor.journal.values import Recorded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey, Vault
    from supervisor.journal.browsing import Selection
    from supervisor.journal.first_contacts import FirstContact
    from supervisor.journal.pending import Excluded
    from supervisor.journal.values import (
        Accepted,
        Counts,
        Entry,
        GapTrace,
        MessagePath,
        OwedStatus,
        Receipt,
        Waiting,
    )
    from supervisor.journal.worker_report import WorkerReport


Body = Incoming | Outgoing


@dataclass(frozen=True, slots=True)
class BodyCipher:
    """Seals bodies, each for its own row; a body moved to another row cannot be opened."""

    number: str
    data_key: DataKey

    def seal(self, direction: Direction, key: str, body: Body) -> bytes:
        return self.data_key.seal(self._cell(direction, key), body.model_dump_json().encode())

    def open(self, direction: str, key: str, sealed: bytes) -> Body:
        plain = self.data_key.open(self._cell(direction, key), sealed)
        kind = Incoming if direction == Direction.IN else Outgoing
        try:
            return kind.model_validate_json(plain)
        except ValidationError as exc:  # stored before the bounds existed
            raise SealBroken("it is not a message") from exc

    def seal_memory(self, memory: ChatMemory) -> bytes:
        plain = memory.model_dump_json().encode()
        return self.data_key.seal(self._memory_cell(memory.peer_id), plain)

    def open_memory(self, peer_id: int, sealed: bytes | None) -> ChatMemory:
        if sealed is None:
            return ChatMemory(peer_id=peer_id)
        try:
            plain = self.data_key.open(self._memory_cell(peer_id), sealed)
            return ChatMemory.model_validate_json(plain)
        except (SealBroken, ValidationError):
            # Damaged, or stored before the bounds existed. Planfix is told everything again: one
            # chat must not hold up all others of its number.
            return ChatMemory(peer_id=peer_id)

    def _cell(self, direction: str, key: str) -> Cell:
        return Cell("journal", f"{self.number}/{direction}/{key}", "body")

    def _memory_cell(self, peer_id: int) -> Cell:
        return Cell("chat", f"{self.number}/{peer_id}", "memory")


_row = tables.journal.c


class Journals:
    """The journals of all numbers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def open(self, number: str) -> Journal:
        query = select(tables.number.c.data_key).where(tables.number.c.digits == number)
        rows = await self._database.fetch(query)
        if not rows:
            raise NumberUnknown
        cipher = BodyCipher(number, self._vault.open_data_key(number, rows[0].data_key))
        return Journal(self._database, cipher)

    async def newest(self, number: str) -> int:
        """Return the newest row of a number; 0 if it has none."""
        query = select(func.max(_row.id)).where(_row.number == number)
        return (await self._database.fetch(query))[0][0] or 0

    def budgets(self, number: str) -> Budgets:
        return Budgets(self._database, number)

    async def hasten(self, number: str) -> None:
        """Make messages for Planfix due at once, because the cause of their failures may be gone.

        Messages for Telegram keep their next attempt: Telegram punishes attempts that come early.
        """
        query = update(tables.journal).where(
            _row.number == number, _row.direction == Direction.IN, pending.IS_PENDING
        )

        def unit(connection: Connection) -> None:
            connection.execute(query.values(next_try=None))

        await self._database.write(unit)

    async def counts(self, numbers: Collection[str] | None = None) -> dict[str, Counts]:
        """Count waiting messages and dead letters; a number without any has no entry."""
        return await self._database.read(pending.count_messages, numbers)


class Journal:
    """The messages of one number."""

    def __init__(self, database: Database, cipher: BodyCipher) -> None:
        self._database = database
        self._cipher = cipher
        self.number = cipher.number
        self.budgets = Budgets(database, cipher.number)
        self._searching = asyncio.Lock()

    async def accept(
        self, outgoing: Outgoing, *, is_new_chat: bool, first: FirstContact | None = None
    ) -> Accepted:
        """Store an employee's message; a repeated one changes nothing."""
        new = NewOutgoing(self._cipher, outgoing, is_new_chat, first)
        return await self._database.write_together(insert_outgoing, new, self.number)

    async def find_repeat(self, planfix_id: str) -> Accepted | None:
        return await self._database.read(find_outgoing, self.number, planfix_id)

    async def record(
        self, epoch: int, report: WorkerReport, before: Sequence[GapTrace]
    ) -> Recorded:
        """Store the whole report of a worker or, if that fails, nothing of it.

        In `before` are traces of the messages that came in before the report.
        """
        # A copy, because the caller may change its own while the unit runs in a thread.
        traces = tuple(before) if report.gap is not None else ()

        def unit(connection: Connection) -> Recorded:
            require_fresh(connection, Claim(self.number, epoch))
            return self._record(connection, report, traces)

        return await self._database.write_for(self.number, unit)

    async def waiting(
        self, direction: Direction, excluded: Excluded, limit: int
    ) -> tuple[list[Waiting], int]:
        """Return the oldest waiting rows, and how many rows were examined."""
        waiting, broken = await self._database.read(
            pending.next_waiting, self._cipher, direction, excluded, limit
        )
        if broken:
            await self._database.write(pending.mark_dead, self.number, broken)
        return waiting, len(waiting) + len(broken)

    async def rows_in_doubt(self, now: float) -> dict[int, int]:
        return await self._database.read(pending.rows_in_doubt, self.number, now)

    async def still_pending(self, rows: Collection[int]) -> frozenset[int]:
        return await self._database.read(pending.still_pending, self.number, rows)

    async def owed(self, excluded: Excluded, limit: int) -> tuple[tuple[OwedStatus, ...], int]:
        """Return the oldest statuses that Planfix is owed, and how many rows were examined."""
        owed = await self._database.read(chats.next_owed, self.number, excluded.rows, limit)
        return owed, len(owed)

    async def memories(self, peers: Collection[int]) -> dict[int, ChatMemory]:
        return await self._database.read(chats.read_memories, self._cipher, peers)

    async def knows(self, peer_id: int) -> bool:
        return await self._database.read(chats.is_known, self.number, peer_id)

    async def list(self, selection: Selection) -> tuple[Entry, ...]:
        return await self._database.read(browsing.list_entries, self._cipher, selection)

    async def search(self, selection: Selection, most: int) -> tuple[Sequence[Entry], int | None]:
        """Search at most so many rows; also return the id before which to go on, if more may follow.

        The rows are read piece by piece, so that other readers get their turn, and one search after
        the other, so that those of one number keep no more than one thread busy.
        """
        async with self._searching:
            return await self._search(selection, most)

    async def _search(self, selection: Selection, most: int) -> tuple[Sequence[Entry], int | None]:
        found: list[Entry] = []
        before = selection.before
        for _ in range(0, most, browsing.PIECE):
            entries = await self.list(replace(selection, before=before, limit=browsing.PIECE))
            # In a thread, because the event loop answers the beats of all workers.
            fitting = await asyncio.to_thread(list, filter(selection.matches, entries))
            found += fitting[: selection.limit - len(found)]
            if len(found) == selection.limit:
                return found, found[-1].id
            before = entries[-1].id if entries else before
            if len(entries) < browsing.PIECE:
                return found, None
        return found, before

    async def find_path(self, row: int) -> MessagePath:
        return await self._database.read(browsing.find_path, self._cipher, row)

    async def dismiss(self, row: int) -> None:
        await self._database.write(browsing.dismiss, self.number, row)

    async def receipts(self, limit: int) -> tuple[Receipt, ...]:
        return await self._database.read(receipts.list_receipts, self.number, limit)

    async def find_body(self, row: int) -> Incoming | Outgoing | None:
        return await self._database.read(browsing.find_body, self._cipher, row)

    async def revive(self, row: int) -> Direction:
        return await self._database.write(browsing.revive, self.number, row)

    async def revive_all(self) -> int:
        return await self._database.write(browsing.revive_all, self.number)

    def _record(
        self, connection: Connection, report: WorkerReport, before: Sequence[GapTrace]
    ) -> Recorded:
        stored = (
            insert_incoming(connection, self._cipher, report.received) if report.received else []
        )
        if report.chats:
            chats.write_memories(connection, self._cipher, report.chats.values())
        recorded = self._record_rows(connection, report) if report.concerns_rows else Recorded()
        if report.gap is not None:
            traces = [*before, *(each.trace for each in stored)]
            receipts.write_receipt(connection, self.number, report.gap, traces)
        return recorded._replace(stored=tuple(stored))

    def _record_rows(self, connection: Connection, report: WorkerReport) -> Recorded:
        """Write what has happened to rows that were stored before."""
        number = self.number
        dead = outcomes.write_outcomes(connection, number, report.outcomes)
        sent, echoes = outcomes.write_parts(connection, number, report.parts)
        left_out = outcomes.erase_left_out(connection, number, report.left_out)
        read = chats.write_reads(connection, number, report.reads)
        chats.write_told(connection, number, report.told)
        owing = {*dead, *sent, *read, *(each.row for each in report.told)}
        return Recorded(
            sent=frozenset(sent),
            dropped=frozenset({*echoes, *left_out}),
            owed=chats.find_owed(connection, number, owing),
        )
