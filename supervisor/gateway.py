"""All numbers with the workers that run them: what the API may call."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING, NamedTuple, Self

from supervisor.draft import as_changes, as_new
from supervisor.errors import DatabaseError
from supervisor.fleet import Fleet
from supervisor.forkserver import Forkserver, tell_confinement
from supervisor.known_tokens import KnownTokens
from supervisor.login_desk import LoginDesk
from supervisor.login_links import LoginLinks
from supervisor.mailroom import Mailroom
from supervisor.page_merging import PageMerging, look_at_merging, tell_merging
from supervisor.retention import Retention
from supervisor.roster import Roster
from supervisor.rotation import Rotation
from supervisor.session_transfer import SessionTransfer
from supervisor.tenure import Tenure
from supervisor.view import View, view_of

if TYPE_CHECKING:
    from types import TracebackType

    from supervisor.config import Config
    from supervisor.draft import Amendment, Draft, OutgoingDraft
    from supervisor.mailroom import Accepted, OpenFile
    from supervisor.ownership import Ownership
    from supervisor.store import Store
    from supervisor.store.journal_shelf import Selection
    from supervisor.store.journal_values import Entry, Receipt
    from supervisor.store.values import AuditEntry

logger = logging.getLogger(__name__)


class Created(NamedTuple):
    """A new number, with the token that is shown this once."""

    token: str
    view: View


class Readiness(NamedTuple):
    """Whether every number that should run has been started, if not why."""

    ok: bool
    reason: str | None = None


class Gateway:
    """Starts, shows, changes, stops numbers.

    A caller that goes away must not cut a verb short: let it run to its end undisturbed.
    """

    def __init__(
        self, store: Store, ownership: Ownership, config: Config, fleet: Fleet | None = None
    ) -> None:
        self._store = store
        self._config = config
        self._fleet = fleet or Fleet(Forkserver(merging=config.merge_memory))
        self._roster = Roster(self._fleet, store, config)
        self._tenure = Tenure(ownership, self._begin)
        self._lock = store.database.lock()
        self._retention = Retention(store.erasure, config)
        self._rotation = Rotation(store.keys)
        self._sessions = SessionTransfer(store, config)
        self.logins = LoginDesk(store, self._roster, config, self._tenure)
        self.links = LoginLinks(store, config, self._tenure)
        self._tokens = KnownTokens(store.numbers)
        self._mail = Mailroom(self._roster, config)

    async def __aenter__(self) -> Self:
        await self._fleet.forkserver.warm_up()
        await self._tenure.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._tenure.stop()
        await self._rotation.stop()
        await self._retention.stop()
        await self._roster.stop_all()
        await self._store.stop()
        await self._unlock()
        self._tenure.release()  # last, when nobody of ours can write any more
        self._fleet.forkserver.close()

    async def create(self, draft: Draft) -> Created:
        """Register a number, then let it start."""
        self._tenure.require()
        async with (
            self._sessions.claim(draft.number, draft) as imported,
            self._roster.turn(draft.number),
        ):
            created = await self._store.numbers.create(as_new(draft))
            self._tokens.forget(draft.number)
            await self._sessions.keep(created.number.number, imported)
            await self._roster.start(draft.number)
        return Created(created.token, await self.show(draft.number))

    async def show(self, number: str) -> View:
        self._tenure.require()
        stored = await self._store.numbers.get(number)
        waiting = await self._store.journals.backlogs(number)
        return view_of(stored, self._roster.find(number), waiting.get(number))

    async def change(self, number: str, changes: Amendment, wait: float) -> View:
        """Stop a number, change it, start it with a clean slate."""
        self._tenure.require()
        await self._store.numbers.get(number)
        async with (
            self._sessions.claim(number, changes) as imported,
            self._roster.turn(number),
        ):
            await self._roster.stop(number)
            try:
                await self._store.numbers.change(number, as_changes(changes))
                await self._sessions.keep(number, imported)
            finally:
                await self._start(number)
        return await self.wait_settled(number, wait)

    async def stop(self, number: str, *, purge: bool = False) -> bool:
        """Stop a number; return whether it was to run until now."""
        self._tenure.require()
        async with self._roster.turn(number):
            was_running = await self._store.numbers.stop(number)
            await self._roster.stop(number)
            if purge:
                await self._log_out(number)
                await self._store.numbers.purge(number)
                self._roster.forget(number)
                self._tokens.forget(number)
                await self._clear_spool(number)
        return was_running

    async def restart(self, number: str) -> None:
        self._tenure.require()
        async with self._roster.turn(number):
            await self._start(number)

    async def numbers(self, client: str | None = None) -> tuple[View, ...]:
        self._tenure.require()
        stored = await self._store.numbers.list(client)
        waiting = await self._store.journals.backlogs()
        return tuple(
            view_of(each, self._roster.find(each.number), waiting.get(each.number))
            for each in stored
        )

    async def authorize(self, number: str, token: str) -> bool:
        self._tenure.require()
        return await self._store.numbers.get_with_token(number, token) is not None

    async def number_of(self, token: str, channel: str | None = None) -> str | None:
        """Return the number that the token opens: its own, or the one that is named."""
        self._tenure.require()
        own = await self._tokens.number_of(token)
        if own is None or channel in {None, own}:
            return own
        # Read anew each time: where a number belongs may have changed a moment ago.
        return channel if await self._store.numbers.share_planfix(own, channel) else None

    async def accept(self, number: str, draft: OutgoingDraft) -> Accepted:
        """See `Mailroom.accept`."""
        self._tenure.require()
        return await self._mail.accept(number, draft)

    async def messages(self, number: str, selection: Selection) -> tuple[Entry, ...]:
        self._tenure.require()
        return await self._mail.messages(number, selection)

    async def replay(self, number: str, message_id: int) -> None:
        """Send a dead letter again."""
        self._tenure.require()
        await self._mail.replay(number, message_id)

    async def replay_all(self, number: str) -> int:
        """Send all dead letters again; return how many there were."""
        self._tenure.require()
        return await self._mail.replay_all(number)

    async def receipts(self, number: str, limit: int = 100) -> tuple[Receipt, ...]:
        """Return the newest gap receipts first."""
        self._tenure.require()
        return await self._mail.receipts(number, limit)

    async def open_file(self, token: str) -> OpenFile:
        """See `Mailroom.open_file`."""
        self._tenure.require()
        return await self._mail.open_file(token)

    async def wait_settled(self, number: str, seconds: float) -> View:
        """Wait until the number's worker has said what became of it, or for that long."""
        keeper = self._roster.find(number)
        if keeper is not None:
            await keeper.standing.wait_settled(seconds)
        return await self.show(number)

    async def export_session(self, number: str) -> str:
        """Hand out the login itself: whoever has it is the account."""
        self._tenure.require()
        return await self._sessions.export(number)

    async def record(self, who: str, action: str, number: str, detail: str | None = None) -> None:
        """Note in the audit log what somebody did to a number."""
        self._tenure.require()
        await self._store.audit.append(who, action, number, detail)

    async def list_audit(
        self, number: str | None, before: int | None, limit: int
    ) -> tuple[AuditEntry, ...]:
        self._tenure.require()
        return await self._store.audit.list(number, before, limit)

    async def page_merging(self) -> PageMerging:
        """Tell what becomes of equal pages of the workers."""
        return await asyncio.to_thread(look_at_merging, wanted=self._config.merge_memory)

    async def count_old_keys(self) -> int:
        """Tell how much still needs an older key of SECRET_KEY."""
        self._tenure.require()
        return await self._store.keys.count_old()

    async def readiness(self) -> Readiness:
        if self._tenure.why_not is not None:
            return Readiness(ok=False, reason=self._tenure.why_not)
        try:
            wanted = [number.number for number in await self._store.numbers.list_to_run()]
        except DatabaseError as exc:
            return Readiness(ok=False, reason=str(exc))
        waiting = self._roster.not_begun(wanted)
        if waiting:
            return Readiness(ok=False, reason=f"{len(waiting)} of {len(wanted)} not started yet")
        return Readiness(ok=True)

    async def _begin(self) -> None:
        """Take up all numbers that are to run; their workers start as the gate lets them."""
        if self._lock is not None:
            await self._lock.take()
        try:
            await self._store.start()
        except BaseException:
            await self._unlock()
            raise
        await asyncio.to_thread(tell_confinement)  # reads what the kernel says
        await asyncio.to_thread(tell_merging, wanted=self._config.merge_memory)
        numbers = await self._store.numbers.list_to_run()
        await self._roster.start_all(number.number for number in numbers)
        self._retention.start()
        self._rotation.start()

    async def _unlock(self) -> None:
        if self._lock is not None:
            await self._lock.release()

    async def _start(self, number: str) -> None:
        await self._store.numbers.start(number)
        await self._store.journals.hasten(number)
        await self._roster.start(number)

    async def _log_out(self, number: str) -> None:
        """End the login at Telegram too, so that nothing of it outlives our copy of the key."""
        is_out = await self.logins.log_out(number)
        if is_out is not None:
            action = "logged_out" if is_out else "log_out_failed"
            await self._store.audit.append("gateway", action, number)

    async def _clear_spool(self, number: str) -> None:
        try:
            await asyncio.to_thread(shutil.rmtree, self._config.spool_of(number))
        except FileNotFoundError:
            logger.debug("number %s had no spool", number)
