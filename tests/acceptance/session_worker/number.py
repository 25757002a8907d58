"""One number on a real line to the sandbox's data centre, with a supervisor that only remembers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from telethon.sessions import StringSession

from session_worker.backoff import Backoff
from session_worker.protocol.contract import (
    NO_HASH,
    Application,
    Assignment,
    DataCentre,
    EntitiesSeen,
    Event,
    KeySaved,
    PlanfixAccount,
    SessionChanged,
    SessionState,
    StoredSession,
    UpdateState,
    UpdateStateMoved,
)
from session_worker.telegram.connection.account import TelegramAccount
from session_worker.telegram.connection.connection import ConnectionTiming
from session_worker.telegram.connection.updates import CatchUp, CaughtUp
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.data_centre import DataCentre as Sandbox
    from session_worker.protocol.proxy import Proxy
    from session_worker.telegram.connection.updates import PositionedUpdate

# It does everything often, yet waits long for an answer, which a busy machine may keep it for.
QUICK = ConnectionTiming(
    connect_limit=60,
    request_limit=60,
    poll_interval=0.3,
    poll_limit=60,
    push_grace=0.2,
    close_limit=1,
    proxy_hold_limit=0.5,
    reconnection=Backoff(first=0.05, longest=0.2),
)
# It soon gives up a line that says nothing, for tests in which one does.
# What it gives up too soon on a busy machine it tries again.
HASTY = replace(QUICK, connect_limit=4, request_limit=2, poll_limit=0.5)
# So seldom that a test in which something arrives knows it was not the poll that brought it.
SELDOM = replace(QUICK, poll_interval=3600)
# It soon gives up another data centre that says nothing, and never doubts its own.
HASTY_ELSEWHERE = replace(SELDOM, connect_limit=4, request_limit=2)


@dataclass
class Right:
    """A lease that the test ends when it likes."""

    lasts: bool = True

    def held(self) -> bool:
        return self.lasts


@dataclass
class Memory:
    """What a supervisor would have stored of one number."""

    session: StoredSession | None = None
    events: list[Event] = field(default_factory=list)
    noticed: int = 0
    """How many of the states have been waited for."""

    def put(self, event: Event) -> None:
        self.events.append(event)
        stored = self.session
        match event:
            case KeySaved():
                key = event.model_dump(exclude={"kind"})
                kept = stored.model_dump(exclude=set(key)) if stored else {}
                self.session = StoredSession.model_validate(kept | key)
            case UpdateStateMoved(update_state=state) if stored:
                self.session = stored.model_copy(update={"update_state": state})
            case EntitiesSeen(entities=entities) if stored:
                known = {e.peer_id: e for e in (*stored.entities, *entities)}
                self.session = stored.model_copy(update={"entities": tuple(known.values())})
            case _:
                pass

    async def report(self, event: Event) -> None:
        self.put(event)

    @property
    def states(self) -> list[SessionState]:
        return [event.state for event in self.events if isinstance(event, SessionChanged)]

    @property
    def state(self) -> SessionState | None:
        return self.states[-1] if self.states else None

    def has_come_to(self, state: SessionState) -> bool:
        """Tell whether this is the state, or was for a moment since the last one waited for."""
        later = self.states[self.noticed :]
        if state in later:
            self.noticed += later.index(state) + 1
            return True
        return self.state is state

    @property
    def place(self) -> UpdateState | None:
        return self.session.update_state if self.session else None


class Number:
    """Runs the account of one phone, collects what it hands over."""

    def __init__(
        self,
        sandbox: Sandbox,
        phone: str,
        timing: ConnectionTiming = QUICK,
        proxy: Proxy | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.phone = phone
        self.timing = timing
        self.proxy = proxy
        self.right = Right()
        self.memory = Memory(imported(sandbox.session_string_for(phone)))
        self.updates: list[Any] = []
        self.open: list[PositionedUpdate] = []
        self.stores = asyncio.Event()
        self.stores.set()
        self.acknowledges = True
        self.failure: Exception | None = None
        self.account = self.make_account()
        self.running: asyncio.Task[None] | None = None

    def make_account(self) -> TelegramAccount:
        return TelegramAccount(
            assignment(self.sandbox, self.phone, self.memory.session, self.proxy),
            self.memory,
            self.right,
            on_update=self._store,
            timing=self.timing,
        )

    async def _store(self, account: TelegramAccount, incoming: PositionedUpdate) -> None:
        await self.stores.wait()
        if self.failure is not None:
            raise self.failure
        if isinstance(incoming.update, CatchUp | CaughtUp):
            account.acknowledge(incoming.position)
            return
        self.updates.append(incoming.update)
        if self.acknowledges:
            account.acknowledge(incoming.position)
        else:
            self.open.append(incoming)

    @property
    def texts(self) -> list[str]:
        """What was written in the messages handed over so far."""
        messages = [getattr(update, "message", None) for update in self.updates]
        return [getattr(m, "message", m) for m in messages if m is not None]

    def begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.account.run())

    async def start(self, state: SessionState = SessionState.ONLINE) -> None:
        self.running = self.begin()
        await self.until(state)

    async def stop(self) -> None:
        await self.account.stop()
        assert self.running is not None
        await self.running

    async def kill(self) -> None:
        """End it as a crash would, without a word to the supervisor."""
        assert self.running is not None
        self.memory = Memory(self.memory.session)
        self.running.cancel()
        await asyncio.wait({self.running})

    async def start_again(self) -> None:
        """Go on from what was stored, as a new process would."""
        self.memory = Memory(self.memory.session)
        self.updates = []
        self.account = self.make_account()
        await self.start()

    async def log_in_anew(self, *, forgets: bool) -> None:
        """Go on under another login; the supervisor forgets access hashes then, an older one did not."""
        await self.stop()
        session = self.memory.session
        assert session is not None
        key = imported(self.sandbox.session_string_for(self.phone)).auth_key
        entities = tuple(
            each.model_copy(update={"access_hash": NO_HASH}) if forgets else each
            for each in session.entities
        )
        self.memory.session = session.model_copy(update={"auth_key": key, "entities": entities})
        await self.start_again()

    async def until(self, state: SessionState, deadline: float = PATIENCE) -> None:
        """Wait for a state; an account that ends meanwhile fails the test."""

        def reached() -> bool:
            if self.running is not None and self.running.done():
                self.running.result()
            return self.memory.has_come_to(state)

        await eventually(reached, deadline, awaited=f"state {state}")

    async def until_texts(self, *texts: str, deadline: float = PATIENCE) -> None:
        def have_come() -> bool:
            return len(self.texts) >= len(texts)

        await eventually(have_come, deadline, awaited=f"texts {texts}, have {self.texts}")
        assert self.texts == list(texts)

    async def until_place(self, pts: int, deadline: float = PATIENCE) -> None:
        def is_there() -> bool:
            return self.memory.place is not None and self.memory.place.pts == pts

        await eventually(is_there, deadline, awaited=f"stored place {pts}")


def imported(string: str) -> StoredSession:
    session = StringSession(string)
    return StoredSession(
        dc_id=session.dc_id,
        server_address=session.server_address,
        port=session.port,
        auth_key=session.auth_key.key,
    )


def assignment(
    sandbox: Sandbox, number: str, session: StoredSession | None, proxy: Proxy | None = None
) -> Assignment:
    return Assignment(
        number=number,
        epoch=1,
        deadline=0,
        application=Application(api_id=1, api_hash="hash"),
        data_centre=DataCentre(
            host=sandbox.host, port=sandbox.port, public_key=sandbox.public_key_pem
        ),
        session=session,
        proxy=proxy,
        planfix=PlanfixAccount(url="http://127.0.0.1", token="token", provider_id="telegram"),
        spool="",
    )
