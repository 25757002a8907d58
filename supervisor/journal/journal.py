"""The journal: what people wrote either way, durable before anything is done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from supervisor.database import tables
from supervisor.database.epoch import Claim, require_fresh
from supervisor.database.tables import Direction
from supervisor.errors import NumberUnknown
from supervisor.journal import browsing, chats, outcomes, pending, receipts, statuses
from supervisor.journal.body_cipher import BodyCipher
from supervisor.journal.intake import NewOutgoing, find_outgoing, insert_incoming, insert_outgoing
from supervisor.journal.values import Recorded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from session_worker.protocol.messages import ChatMemory, Incoming, Outgoing
    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault
    from supervisor.journal.browsing import Selection
    from supervisor.journal.pending import Besides
    from supervisor.journal.values import Accepted, Entry, GapTrace, OwedStatus, Receipt, Waiting
    from supervisor.journal.worker_report import WorkerReport

_row = tables.journal.c


class Journals:
    """The journals of all numbers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def open(self, number: str) -> Journal:
        query = select(tables.number.c.data_key).where(tables.number.c.digits == number)
        async with self._database.read() as connection:
            wrapped = (await connection.execute(query)).scalar()
        if wrapped is None:
            raise NumberUnknown
        cipher = BodyCipher(number, self._vault.open_data_key(number, wrapped))
        return Journal(self._database, cipher)

    async def hasten(self, number: str) -> None:
        """Let what waits for Planfix be tried at once, since its trouble may be mended now.

        What waits for Telegram keeps its time: Telegram punishes whoever comes too early.
        """
        query = update(tables.journal).where(
            _row.number == number, _row.direction == Direction.IN, pending.IS_PENDING
        )

        async def unit(connection: AsyncConnection) -> None:
            await connection.execute(query.values(next_try=None))

        await self._database.write(unit)

    async def backlogs(self, number: str | None = None) -> dict[str, dict[Direction, int]]:
        """Count what waits, each way; where nothing waits there is no count."""
        query = (
            select(_row.number, _row.direction, func.count())
            .where(pending.IS_PENDING)
            .group_by(_row.number, _row.direction)
        )
        if number is not None:
            query = query.where(_row.number == number)
        counts: dict[str, dict[Direction, int]] = {}
        async with self._database.read() as connection:
            for of, direction, count in await connection.execute(query):
                counts.setdefault(of, {})[Direction(direction)] = count
        return counts


class Journal:
    """The messages of one number."""

    def __init__(self, database: Database, cipher: BodyCipher) -> None:
        self._database = database
        self._cipher = cipher
        self.number = cipher.number

    async def accept(self, outgoing: Outgoing, *, is_new_chat: bool) -> Accepted:
        """Keep what an employee wrote; a repeat changes nothing."""
        new = NewOutgoing(self._cipher, outgoing, is_new_chat)
        return await self._database.write_together(insert_outgoing, new)

    async def find_repeat(self, planfix_id: str) -> Accepted | None:
        async with self._database.read() as connection:
            return await find_outgoing(connection, self.number, planfix_id)

    async def record(self, epoch: int, said: WorkerReport, before: Sequence[GapTrace]) -> Recorded:
        """Write down all that a worker said, or nothing of it; `before` is what it said lately."""

        async def unit(connection: AsyncConnection) -> Recorded:
            await require_fresh(connection, Claim(self.number, epoch))
            return await self._record(connection, said, before)

        return await self._database.write(unit)

    async def waiting(
        self, direction: Direction, besides: Besides, limit: int
    ) -> tuple[list[Waiting], int]:
        """Return the oldest waiting rows, with how many rows were looked at."""
        async with self._database.read() as connection:
            waiting, broken = await pending.next_waiting(
                connection, self._cipher, direction, besides, limit
            )
        if broken:
            await self._database.write(lambda each: pending.mark_dead(each, self.number, broken))
        return waiting, len(waiting) + len(broken)

    async def rows_in_doubt(self, now: float) -> dict[int, int]:
        async with self._database.read() as connection:
            return await pending.rows_in_doubt(connection, self.number, now)

    async def still_pending(self, rows: Collection[int]) -> frozenset[int]:
        async with self._database.read() as connection:
            return await pending.still_pending(connection, self.number, rows)

    async def owed(self, besides: Besides, limit: int) -> tuple[tuple[OwedStatus, ...], int]:
        """Return the oldest statuses that are owed, with how many rows were looked at."""
        async with self._database.read() as connection:
            owed = await statuses.next_owed(connection, self.number, besides.rows, limit)
        return owed, len(owed)

    async def memories(self, peers: Collection[int]) -> dict[int, ChatMemory]:
        async with self._database.read() as connection:
            return await chats.read_memories(connection, self._cipher, peers)

    async def knows(self, peer_id: int) -> bool:
        async with self._database.read() as connection:
            return await chats.is_known(connection, self.number, peer_id)

    async def list(self, selection: Selection) -> tuple[Entry, ...]:
        async with self._database.read() as connection:
            return await browsing.list_entries(connection, self._cipher, selection)

    async def receipts(self, limit: int) -> tuple[Receipt, ...]:
        async with self._database.read() as connection:
            return await receipts.list_receipts(connection, self.number, limit)

    async def find_body(self, row: int) -> Incoming | Outgoing | None:
        async with self._database.read() as connection:
            return await browsing.find_body(connection, self._cipher, row)

    async def revive(self, row: int) -> Direction:
        return await self._database.write(
            lambda connection: browsing.revive(connection, self.number, row)
        )

    async def revive_all(self) -> int:
        return await self._database.write(
            lambda connection: browsing.revive_all(connection, self.number)
        )

    async def _record(
        self, connection: AsyncConnection, said: WorkerReport, before: Sequence[GapTrace]
    ) -> Recorded:
        number = self.number
        kept = await insert_incoming(connection, self._cipher, said.received)
        await chats.write_memories(connection, self._cipher, said.chats.values())
        dead = await outcomes.write_outcomes(connection, number, said.outcomes)
        sent, dropped = await outcomes.write_parts(connection, number, said.parts)
        read = await statuses.write_reads(connection, number, said.reads)
        await statuses.write_told(connection, number, said.told)
        if said.gap is not None:
            traces = [*before, *(each.trace for each in kept)]
            await receipts.write_receipt(connection, number, said.gap, traces)
        owing = {*dead, *sent, *read, *(each.row for each in said.told)}
        return Recorded(
            kept=tuple(kept),
            sent=frozenset(sent),
            dropped=frozenset(dropped),
            owed=await statuses.find_owed(connection, number, owing),
        )
