"""The façade for the API: the life of all numbers, and the services that the API calls."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from supervisor.bots.bot_service import BotService
from supervisor.database.coordination import DatabaseLock
from supervisor.errors import DatabaseError, NumberUnknown
from supervisor.journal.values import NONE
from supervisor.login.login_service import LoginLinks, LoginService
from supervisor.login.session_transfer import SessionSource, SessionTransfer
from supervisor.messages.file_links import LinkedFiles
from supervisor.messages.message_service import MessageService
from supervisor.monitoring.monitor import Monitor
from supervisor.monitoring.planfix_check import PlanfixCheck
from supervisor.notifications.notification_service import NotificationService, Sender
from supervisor.notifications.planfix_accounts import PlanfixAccounts
from supervisor.notifications.planfix_answers import PlanfixAnswers
from supervisor.notifications.planfix_events import PlanfixEvents
from supervisor.notifications.planfix_facts import PlanfixFacts
from supervisor.numbers.keepers import Keepers
from supervisor.numbers.token_cache import TokenCache
from supervisor.numbers.view import View, view_of
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.ownership import Takeover
from supervisor.processes.forkserver import Forkserver, log_confinement
from supervisor.processes.page_merging import PageMerging, log_merging, look_at_merging
from supervisor.upkeep import KeyRotation, Retention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.config import Config
    from supervisor.nodes.node import Node
    from supervisor.numbers.state import State
    from supervisor.ownership import Ownership
    from supervisor.store.store import Store
    from supervisor.store.values import Changes, NewNumber

NO_SESSION = SessionSource()

logger = logging.getLogger(__name__)


class Created(NamedTuple):
    """A new number, and its token, which is shown only once."""

    token: str
    view: View


class Readiness(NamedTuple):
    """Whether every number that should run has been started, and if not, why."""

    ok: bool
    reason: str | None = None


class Gateway:
    """Starts, shows, changes, and stops numbers.

    Do not cancel a call that changes a number when its caller hangs up: let it finish.
    """

    node: Node | None = None
    """This gateway as one of several; None if it is alone."""
    starting: frozenset[str] = frozenset()
    """The clients whose bots start together with the gateway and are not online yet."""

    def __init__(
        self, store: Store, ownership: Ownership, config: Config, pool: WorkerPool | None = None
    ) -> None:
        self._store = store
        self._config = config
        self._pool = pool or WorkerPool(Forkserver(merging=config.merge_memory))
        self._keepers = Keepers(self._pool, store, config)
        self.node = self._keepers.node
        self.nodes, self.log_of = self._keepers.list_nodes, self._keepers.log_of
        self.takeover = Takeover(ownership, self._begin)
        engine = store.database.locking_engine()
        is_shared = self.node is not None
        self._lock = DatabaseLock(engine, is_shared=is_shared) if engine is not None else None
        self._retention = Retention(store.erasure, store.history, store.alarms, config)
        self._key_rotation = KeyRotation(store.keys)
        self.monitor = Monitor(store, config, self._keepers.last_heard, self.node)
        self._pool.report_change = self.monitor.receive_change
        self._keepers.report_passed_on = self.monitor.pass_on
        self._keepers.dispatchers.report = self.monitor.receive_news
        self.sessions = SessionTransfer(store, config)
        self.logins = LoginService(store, self._keepers, config)
        self.links = LoginLinks(store, config)
        self.tokens = TokenCache(store.numbers, 0) if is_shared else TokenCache(store.numbers)
        self.notifications = NotificationService(
            store, self._keepers.dispatchers, store.people, self._sender_of, self.node
        )
        self.bots = BotService(store, self._keepers, self.tokens, self.notifications, config)
        accounts = PlanfixAccounts(store, config)
        self.planfix_events = PlanfixEvents(
            store, self.notifications, accounts, PlanfixFacts(accounts, store.people)
        )
        self.bots.listen(
            PlanfixAnswers(self.notifications, accounts, self.bots.requests.answer_press)
        )
        self.audit, self.keys, self.history = store.audit, store.keys, store.history
        self.planfix_check = PlanfixCheck(store, config)
        # For what the API plugs in beside the numbers, such as TeamFlame, which stores rows of its own.
        self.database, self.vault, self.link_keys = store.database, store.vault, store.link_keys
        self.messages = MessageService(
            self._keepers.dispatchers, self._keepers.require_online, self.node
        )
        self.files = LinkedFiles(self._keepers.dispatchers, config, self.node)

    async def __aenter__(self) -> Self:
        await self._pool.forkserver.warm_up()
        await self.takeover.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.takeover.stop()
        if self.node is not None:
            await self.node.drain()
            await self.node.halt()
        await self._key_rotation.stop()
        await self._retention.stop()
        await self.monitor.stop()
        await self._keepers.stop_all()
        if self.node is not None:
            await self.node.stop()
        await self.notifications.stop()
        await self._keepers.listening.stop()
        await self._store.stop()
        await self._unlock()
        self.takeover.release()  # last, when nothing of this gateway can write any more
        self._pool.forkserver.close()

    async def create(self, new: NewNumber, session: SessionSource = NO_SESSION) -> Created:
        """Register a number and start it."""
        number = new.number
        imported = await self.sessions.read(number, session)
        async with self._keepers.claimed(number):
            login = imported.session if imported else None
            created = await self._store.numbers.create(replace(new, login=login))
            await self._save_budgets(number, new.governor)
            self.tokens.forget(number)
            await self.sessions.keep_entities(number, imported)
            await self._keepers.start(number)
        return Created(created.token, await self.show(number))

    async def show(self, number: str) -> View:
        stored = await self._store.numbers.get(number)
        counts = await self._store.journals.counts([number])
        budgets = await self._store.journals.budgets(number).outlook(time.time())
        view = view_of(stored, self._keepers.find(number), counts.get(number, NONE))
        chats = await self._store.chat_choices.get(number)
        return replace(view, budgets=budgets, chats=chats)

    async def change(
        self, number: str, changes: Changes, session: SessionSource = NO_SESSION
    ) -> None:
        """Stop a number, change it, and start it with a new restart budget."""
        await self._store.numbers.get(number)
        imported = await self.sessions.read(number, session)
        async with self._keepers.claimed(number), self._keepers.stopped(number):
            try:
                login = imported.session if imported else None
                await self._store.numbers.change(number, replace(changes, login=login))
                await self._save_budgets(number, changes.governor)
                await self.sessions.keep_entities(number, imported)
            finally:
                await self._start(number)

    async def stop(self, number: str, *, purge: bool = False) -> bool:
        """Stop a number; return whether it was supposed to run before."""
        async with self._keepers.claimed(number):
            was_running = await self._store.numbers.stop(number)
            await self._keepers.stop(number)
            if purge:
                await self._log_out(number)
                # Files first: if the gateway ends here, the number is still there to be purged.
                await self._keepers.dispatchers.files.forget(number)
                await self._clear_spool(number)
                await self._store.numbers.purge(number)
                self._keepers.forget(number)
                self.tokens.forget(number)
                self.monitor.forget(number)
                if self.node is not None:
                    await self.node.disown(number)
        return was_running

    async def restart(self, number: str) -> None:
        async with self._keepers.claimed(number):
            await self._start(number)

    async def numbers(
        self, client: str | None = None, state: State | None = None, *, are_bots: bool = False
    ) -> tuple[View, ...]:
        """Return all numbers, or those of a client or in a state; or the bots instead of the numbers."""
        stored = await self._store.numbers.list(client, are_bots=are_bots)
        counts = await self._store.journals.counts()
        views = (
            view_of(each, self._keepers.find(each.number), counts.get(each.number, NONE))
            for each in stored
        )
        return tuple(view for view in views if state in {None, view.state})

    async def numbers_kept(self, *, are_bots: bool = False) -> tuple[View, ...]:
        """Return the numbers that run on this node, or that have ended here and are remembered."""
        views = await self.numbers(are_bots=are_bots)
        return tuple(view for view in views if self._keepers.find(view.number))

    async def wait_settled(self, number: str, seconds: float) -> View:
        """Wait until the worker has reported the result of its start, but no longer than this."""
        keeper = self._keepers.find(number)
        if keeper is not None:
            await keeper.live_state.wait_settled(seconds)
        return await self.show(number)

    async def page_merging(self) -> PageMerging:
        """Return whether the kernel merges equal memory pages of workers."""
        return await asyncio.to_thread(look_at_merging, wanted=self._config.merge_memory)

    async def readiness(self) -> Readiness:
        if self.takeover.not_active_reason is not None:
            return Readiness(ok=False, reason=self.takeover.not_active_reason)
        try:
            if await self._store.alarms.failing_since() is not None:
                return Readiness(ok=False, reason="the database cannot be written")
            wanted = await self._keepers.numbers_to_run()
        except DatabaseError as exc:
            return Readiness(ok=False, reason=str(exc))
        waiting = self._keepers.not_started(wanted)
        if waiting:
            return Readiness(ok=False, reason=f"{len(waiting)} of {len(wanted)} not started yet")
        if self.starting:
            return Readiness(
                ok=False, reason=f"the bot of {', '.join(sorted(self.starting))} is starting"
            )
        return Readiness(ok=True)

    async def _begin(self) -> None:
        """Open the store and start all numbers that should run; the start limit sets the pace."""
        if self._lock is not None:
            await self._lock.take()
        try:
            await self._store.start()
        except BaseException:  # cancelled or failed: another gateway may begin
            await self._unlock()
            raise
        await asyncio.to_thread(log_confinement)  # it reads files of the kernel
        await asyncio.to_thread(log_merging, wanted=self._config.merge_memory)
        self.monitor.start()
        await self._keepers.start_or_join()
        self._retention.start()
        self._key_rotation.start()

    async def _save_budgets(self, number: str, settings: Mapping[str, Any] | None) -> None:
        if settings is not None:
            await self._store.journals.budgets(number).save_settings(settings)

    async def _sender_of(self, number: str) -> Sender:
        try:
            language = (await self._store.bots.get(number)).language
        except NumberUnknown:
            return Sender(number, is_bot=False, language=self._config.language)
        return Sender(number, is_bot=True, language=language)

    async def _unlock(self) -> None:
        if self._lock is not None:
            await self._lock.release()

    async def _start(self, number: str) -> None:
        await self._store.numbers.start(number)
        await self._store.journals.hasten(number)
        await self._keepers.start(number)

    async def _log_out(self, number: str) -> None:
        """End the login at Telegram too, so that it does not outlive our copy of its key."""
        is_out = await self.logins.log_out(number)
        if is_out is not None:
            action = "logged_out" if is_out else "log_out_failed"
            await self._store.audit.append("gateway", action, number)

    async def _clear_spool(self, number: str) -> None:
        try:
            await asyncio.to_thread(shutil.rmtree, self._config.spool_of(number))
        except FileNotFoundError:
            logger.debug("number %s had no spool", number)
