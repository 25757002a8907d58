"""All numbers with the workers that run them: what the API may call."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING, NamedTuple, Self

from supervisor.errors import DatabaseError
from supervisor.login.links import LoginLinks
from supervisor.login.login_service import LoginService
from supervisor.login.session_transfer import SessionTransfer
from supervisor.messages.message_service import MessageService
from supervisor.numbers.keepers import Keepers
from supervisor.numbers.registration import as_changes, as_new
from supervisor.numbers.token_cache import TokenCache
from supervisor.numbers.view import View, view_of
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.ownership.database_lock import DatabaseLock
from supervisor.ownership.takeover import Takeover
from supervisor.processes.forkserver import Forkserver, tell_confinement
from supervisor.processes.page_merging import PageMerging, look_at_merging, tell_merging
from supervisor.upkeep.key_rotation import KeyRotation
from supervisor.upkeep.retention import Retention

if TYPE_CHECKING:
    from types import TracebackType

    from supervisor.config import Config
    from supervisor.journal.browsing import Selection
    from supervisor.journal.values import Entry, Receipt
    from supervisor.messages.message_service import Accepted, OpenFile
    from supervisor.messages.recipients import OutgoingMessage
    from supervisor.numbers.registration import Amendment, Draft
    from supervisor.ownership.data_dir_lock import Ownership
    from supervisor.store.store import Store
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
        self, store: Store, ownership: Ownership, config: Config, pool: WorkerPool | None = None
    ) -> None:
        self._store = store
        self._config = config
        self._pool = pool or WorkerPool(Forkserver(merging=config.merge_memory))
        self._keepers = Keepers(self._pool, store, config)
        self._takeover = Takeover(ownership, self._begin)
        engine = store.database.locking_engine()
        self._lock = DatabaseLock(engine) if engine is not None else None
        self._retention = Retention(store.erasure, config)
        self._key_rotation = KeyRotation(store.keys)
        self._sessions = SessionTransfer(store, config)
        self.logins = LoginService(store, self._keepers, config, self._takeover)
        self.links = LoginLinks(store, config, self._takeover)
        self._tokens = TokenCache(store.numbers)
        self._mail = MessageService(self._keepers, config)

    async def __aenter__(self) -> Self:
        await self._pool.forkserver.warm_up()
        await self._takeover.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._takeover.stop()
        await self._key_rotation.stop()
        await self._retention.stop()
        await self._keepers.stop_all()
        await self._store.stop()
        await self._unlock()
        self._takeover.release()  # last, when nobody of ours can write any more
        self._pool.forkserver.close()

    async def create(self, draft: Draft) -> Created:
        """Register a number, then let it start."""
        self._takeover.require()
        async with (
            self._sessions.claim(draft.number, draft) as imported,
            self._keepers.lock_of(draft.number),
        ):
            created = await self._store.numbers.create(as_new(draft))
            self._tokens.forget(draft.number)
            await self._sessions.keep(created.number.number, imported)
            await self._keepers.start(draft.number)
        return Created(created.token, await self.show(draft.number))

    async def show(self, number: str) -> View:
        self._takeover.require()
        stored = await self._store.numbers.get(number)
        waiting = await self._store.journals.backlogs(number)
        return view_of(stored, self._keepers.find(number), waiting.get(number))

    async def change(self, number: str, changes: Amendment, wait: float) -> View:
        """Stop a number, change it, start it with a clean slate."""
        self._takeover.require()
        await self._store.numbers.get(number)
        async with (
            self._sessions.claim(number, changes) as imported,
            self._keepers.lock_of(number),
        ):
            await self._keepers.stop(number)
            try:
                await self._store.numbers.change(number, as_changes(changes))
                await self._sessions.keep(number, imported)
            finally:
                await self._start(number)
        return await self.wait_settled(number, wait)

    async def stop(self, number: str, *, purge: bool = False) -> bool:
        """Stop a number; return whether it was to run until now."""
        self._takeover.require()
        async with self._keepers.lock_of(number):
            was_running = await self._store.numbers.stop(number)
            await self._keepers.stop(number)
            if purge:
                await self._log_out(number)
                await self._store.numbers.purge(number)
                self._keepers.forget(number)
                self._tokens.forget(number)
                await self._clear_spool(number)
        return was_running

    async def restart(self, number: str) -> None:
        self._takeover.require()
        async with self._keepers.lock_of(number):
            await self._start(number)

    async def numbers(self, client: str | None = None) -> tuple[View, ...]:
        self._takeover.require()
        stored = await self._store.numbers.list(client)
        waiting = await self._store.journals.backlogs()
        return tuple(
            view_of(each, self._keepers.find(each.number), waiting.get(each.number))
            for each in stored
        )

    async def authorize(self, number: str, token: str) -> bool:
        self._takeover.require()
        return await self._store.numbers.get_with_token(number, token) is not None

    async def number_of(self, token: str, channel: str | None = None) -> str | None:
        """Return the number that the token opens: its own, or the one that is named."""
        self._takeover.require()
        own = await self._tokens.number_of(token)
        if own is None or channel in {None, own}:
            return own
        # Read anew each time: where a number belongs may have changed a moment ago.
        return channel if await self._store.numbers.share_planfix(own, channel) else None

    async def accept(self, number: str, draft: OutgoingMessage) -> Accepted:
        """See `Mailroom.accept`."""
        self._takeover.require()
        return await self._mail.accept(number, draft)

    async def messages(self, number: str, selection: Selection) -> tuple[Entry, ...]:
        self._takeover.require()
        return await self._mail.messages(number, selection)

    async def replay(self, number: str, message_id: int) -> None:
        """Send a dead letter again."""
        self._takeover.require()
        await self._mail.replay(number, message_id)

    async def replay_all(self, number: str) -> int:
        """Send all dead letters again; return how many there were."""
        self._takeover.require()
        return await self._mail.replay_all(number)

    async def receipts(self, number: str, limit: int = 100) -> tuple[Receipt, ...]:
        """Return the newest gap receipts first."""
        self._takeover.require()
        return await self._mail.receipts(number, limit)

    async def open_file(self, token: str) -> OpenFile:
        """See `Mailroom.open_file`."""
        self._takeover.require()
        return await self._mail.open_file(token)

    async def wait_settled(self, number: str, seconds: float) -> View:
        """Wait until the number's worker has said what became of it, or for that long."""
        keeper = self._keepers.find(number)
        if keeper is not None:
            await keeper.live_state.wait_settled(seconds)
        return await self.show(number)

    async def export_session(self, number: str) -> str:
        """Hand out the login itself: whoever has it is the account."""
        self._takeover.require()
        return await self._sessions.export(number)

    async def record(self, who: str, action: str, number: str, detail: str | None = None) -> None:
        """Note in the audit log what somebody did to a number."""
        self._takeover.require()
        await self._store.audit.append(who, action, number, detail)

    async def list_audit(
        self, number: str | None, before: int | None, limit: int
    ) -> tuple[AuditEntry, ...]:
        self._takeover.require()
        return await self._store.audit.list(number, before, limit)

    async def page_merging(self) -> PageMerging:
        """Tell what becomes of equal pages of the workers."""
        return await asyncio.to_thread(look_at_merging, wanted=self._config.merge_memory)

    async def count_old_keys(self) -> int:
        """Tell how much still needs an older key of SECRET_KEY."""
        self._takeover.require()
        return await self._store.keys.count_old()

    async def readiness(self) -> Readiness:
        if self._takeover.not_active_reason is not None:
            return Readiness(ok=False, reason=self._takeover.not_active_reason)
        try:
            wanted = [number.number for number in await self._store.numbers.list_to_run()]
        except DatabaseError as exc:
            return Readiness(ok=False, reason=str(exc))
        waiting = self._keepers.not_started(wanted)
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
        await self._keepers.start_all(number.number for number in numbers)
        self._retention.start()
        self._key_rotation.start()

    async def _unlock(self) -> None:
        if self._lock is not None:
            await self._lock.release()

    async def _start(self, number: str) -> None:
        await self._store.numbers.start(number)
        await self._store.journals.hasten(number)
        await self._keepers.start(number)

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
