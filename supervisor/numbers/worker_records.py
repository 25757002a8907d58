"""What a worker has to know and what it reports, read from and written to the store."""

from __future__ import annotations

import logging
from dataclasses import asdict
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from session_worker.protocol.contract import (
    Application,
    Assignment,
    DataCentre,
    EntitiesSeen,
    Entity,
    KeySaved,
    PlanfixAccount,
    StoredSession,
    Trouble,
    TroubleCode,
    UpdateState,
    UpdateStateMoved,
)
from session_worker.protocol.messages import Delivered, Failed, Failure, FailureCode
from supervisor.database.tables import Login
from supervisor.database.writer import Claim
from supervisor.errors import DatabaseUnavailable, GatewayError, StaleEpoch
from supervisor.nodes.files import SharedFiles
from supervisor.numbers.state import Cause, LiveState
from supervisor.processes.worker_exit import WorkerExit
from supervisor.store import values
from supervisor.texts import describe_trouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from session_worker.protocol.messages import MessageEvent
    from supervisor.config import Config
    from supervisor.numbers.login_dialog import OneOffSession
    from supervisor.store.store import Store

BOT = "session_worker.bot:BotSession"
MOST_ENTITIES = 5000  # more would not fit into the first frame
_DEAD_KEYS = frozenset(
    {
        TroubleCode.BANNED,
        TroubleCode.DEACTIVATED,
        TroubleCode.DUPLICATED,
        TroubleCode.KEY_UNKNOWN,
        TroubleCode.REVOKED,
    }
)
_BANNED = frozenset({TroubleCode.BANNED, TroubleCode.DEACTIVATED})

logger = logging.getLogger(__name__)


class PlanfixTrouble(StrEnum):
    """Failures that keep all messages of a number from Planfix."""

    UNAUTHORIZED = FailureCode.UNAUTHORIZED
    UNAVAILABLE = FailureCode.UNAVAILABLE
    FORBIDDEN = FailureCode.FORBIDDEN


Fact = KeySaved | EntitiesSeen | UpdateStateMoved
P = ParamSpec("P")


def _if_possible(
    record: Callable[Concatenate[WorkerRecords, P], Awaitable[None]],
) -> Callable[Concatenate[WorkerRecords, P], Coroutine[None, None, None]]:
    """Log a failure to store something that is only shown to people; the number runs on."""
    record_name = getattr(record, "__name__", "a record")

    @wraps(record)
    async def guarded(self: WorkerRecords, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await record(self, *args, **kwargs)
        # An outage is logged once for all numbers; a newer worker has more to tell than this one.
        except (DatabaseUnavailable, StaleEpoch) as exc:
            logger.debug("%s: %s: %s", self.name, record_name, exc)
        except GatewayError:
            logger.exception("%s: %s failed", self.name, record_name)

    return guarded


class WorkerRecords:
    """Reads the assignment of a worker and stores its reports, in the epoch of its start."""

    def __init__(self, number: str, store: Store, config: Config) -> None:
        self.number = number
        self._store = store
        self._config = config
        self._files = SharedFiles(store, config)
        self._epoch = 0
        self.client = ""
        self.name = f"number {number}"
        """The name of the number or bot in the log."""
        self._error_code: str | None = None
        self.live_state = LiveState(number)

    async def make_assignment(self, one_off: OneOffSession | None = None) -> Assignment:
        """Return what the next worker needs, in a new epoch: no report of an earlier worker is stored now."""
        number = await self._store.numbers.get(self.number)
        self.client = number.client
        self.name = f"{'bot' if number.is_bot else 'number'} {self.number}"
        self._epoch = await self._store.runs.take_epoch(self.number, number.epoch)
        error = number.last_error
        self._error_code = error.code if error else None
        self.live_state.client = number.client
        self.live_state.explain(Cause(error.code, error.detail) if error else None)
        secrets = await self._store.numbers.secrets(self.number)
        factory = (one_off or self._config).session_factory
        language: str = self._config.language
        if number.is_bot:
            language = (await self._store.bots.get(self.number)).language
            factory = one_off.session_factory if one_off else BOT
        choice = await self._store.chat_choices.get(self.number)
        planfix = PlanfixAccount(
            url=number.url_planfix,
            token=secrets.token_planfix,
            provider_id=number.provider_id,
            user_email=number.user_email,
            may_be_private=self._config.allow_private_planfix,
        )
        return Assignment(
            number=self.number,
            is_bot=number.is_bot,
            epoch=self._epoch,
            deadline=0.0,
            application=Application(api_id=self._config.api_id, api_hash=self._config.api_hash),
            data_centre=self._data_centre(),
            session=await self._stored_session(),
            planfix=planfix,
            proxy=secrets.proxy,
            chats=choice.selection,
            history_since=choice.history_since,
            spool=str(self._config.spool_of(self.number)),
            language=language,
            log_level=self._config.log_level,
            log_format=self._config.log_format,
            session_factory=factory,
        )

    async def save(self, fact: Fact) -> None:
        """Store a fact that the worker has reported."""
        match fact:
            case KeySaved():
                session = values.Session(**fact.model_dump(exclude={"kind"}))
                await self._store.sessions.save(self.number, self._epoch, session)
            case EntitiesSeen():
                entities = [values.Entity(**entity.model_dump()) for entity in fact.entities]
                await self._store.entities.save(self.number, self._epoch, entities)
            case UpdateStateMoved():
                reached = values.UpdateState(**fact.update_state.model_dump())
                await self._store.sessions.move_updates(self.number, self._epoch, reached)

    @_if_possible
    async def record_trouble(self, trouble: Trouble | None, *, is_online: bool) -> None:
        """Show a session's trouble until it is over, and a worker's end until the next one is online."""
        over = {*TroubleCode, *WorkerExit} if is_online else set(TroubleCode)
        if trouble is not None:
            await self._record_error(trouble.code, trouble.detail)
        elif self._error_code in over:
            await self._record_error(None)

    @_if_possible
    async def record_planfix(self, events: Iterable[MessageEvent]) -> None:
        """Show why no message gets through to Planfix, until one does."""
        for event in events:
            match event:
                case Delivered() if self._error_code in set(PlanfixTrouble):
                    await self._record_error(None)
                case Failed(failure=Failure(code=code, detail=detail)) if (
                    code in set(PlanfixTrouble) and code != self._error_code
                ):
                    await self._record_error(code, detail)
                case _:
                    pass  # the event says nothing about Planfix

    async def keep_files(self, events: Iterable[MessageEvent]) -> None:
        """Store the files of delivered messages for the other nodes, if there are any."""
        for event in events:
            if isinstance(event, Delivered) and self._config.node is not None:
                await self._files.keep(self.number, event.row)

    async def record_login_lost(self, trouble: Trouble) -> None:
        """Forget a key that Telegram has ended or that belongs to another account."""
        if trouble.code is TroubleCode.WRONG_ACCOUNT:
            await self._store.sessions.drop_foreign(self.number, self._epoch)
        elif trouble.code in _DEAD_KEYS:
            login = Login.BANNED if trouble.code in _BANNED else Login.NEEDED
            await self._store.sessions.drop(self.number, self._epoch, login)

    @property
    def claim(self) -> Claim:
        """The number and the epoch in whose name this worker's events are stored."""
        return Claim(self.number, self._epoch)

    @_if_possible
    async def record_logged_in(self, who: str, username: str | None = None) -> None:
        """End the login link, store a bot's user name, and record the login in the audit log."""
        if username:
            await self._store.bots.save_username(self.number, username)
        await self._store.login_links.use(self.number)
        await self._store.audit.append(who, "logged_in", self.number)

    @_if_possible
    async def record_restart(self, ending: WorkerExit) -> None:
        await self._record_error(ending)
        await self._store.runs.count_restart(self.number, self._epoch)

    @_if_possible
    async def record_parked(self, ending: WorkerExit, detail: str = "") -> None:
        await self._record_error(ending, detail, parked=True)
        await self._store.runs.park(self.number, self._epoch, ending)

    async def _record_error(
        self, code: str | None, detail: str = "", *, parked: bool = False
    ) -> None:
        self._error_code = code
        self.live_state.explain(Cause(code, detail) if code else None)
        error = code and describe_trouble(code, self._config.language, detail, parked=parked)
        await self._store.runs.set_last_error(self.number, self._epoch, error or None)

    async def _stored_session(self) -> StoredSession | None:
        session = await self._store.sessions.load(self.number)
        if session is None:
            return None
        entities = await self._store.entities.list(self.number, MOST_ENTITIES)
        return StoredSession(
            dc_id=session.dc_id,
            server_address=session.server_address,
            port=session.port,
            auth_key=session.auth_key,
            user_id=session.user_id,
            update_state=session.updates and UpdateState(**asdict(session.updates)),
            entities=tuple(Entity(**asdict(entity)) for entity in entities),
        )

    def _data_centre(self) -> DataCentre | None:
        place = self._config.data_centre
        return DataCentre(**asdict(place)) if place else None
