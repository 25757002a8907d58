"""Keeps a number within its budgets: admits messages to strangers, now or when their turn comes."""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from session_worker.failures import Reason, failure_entry
from session_worker.protocol.messages import Failed, Incoming, Received, Resolved
from supervisor.errors import DatabaseError, ResolvingDelayed
from supervisor.governor.budget import (
    ANSWERS_ONLY,
    BUDGET_SPENT,
    Settings,
    Usage,
    expected_grants,
    next_look_up,
    suspicion_after,
)
from supervisor.journal.first_contacts import ANSWERED, FirstContact
from supervisor.texts import held_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from session_worker.protocol.messages import Contact, MessageEvent
    from supervisor.governor.budget import Suspicion

LONGEST_SLEEP = 60.0  # seconds; the clock of the machine may be set meanwhile
PAUSE = 1.0  # seconds until the database is asked again after a failure
MOST_EXPECTED = 200  # waiting strangers for whom the expected time is kept current
AT_ONCE = 50  # strangers who are admitted in one transaction
_SUSPICIONS: Final = frozenset({Reason.SPAM_LIMIT, Reason.FROZEN})

logger = logging.getLogger(__name__)


class Budgets(Protocol):
    """Stores what the number has used."""

    async def load(self, now: float) -> tuple[Settings, Usage]: ...
    async def answered(self) -> Sequence[int]: ...
    async def is_stranger(self, peer_id: int) -> bool: ...
    async def grant(self, peers: Sequence[int], at: float) -> None: ...
    async def expect(self, code: str, moments: Mapping[int, float]) -> None: ...
    async def suspect(self, suspicion: Suspicion) -> None: ...
    async def count_look_up(self, now: float) -> None: ...


class Governor:
    """The budgets of one number; the database has them too, so a restart gives nothing back."""

    def __init__(
        self,
        number: str,
        budgets: Budgets,
        language: str,
        release: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Call `release` when messages that waited may be handed over."""
        self._number = number
        self._budgets = budgets
        self._language = language
        self._release = release
        self._clock = clock
        self._settings = Settings()
        self._usage = Usage(began=clock())
        self._is_loaded = False
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> None:
        self._settings, self._usage = await self._budgets.load(self._clock())
        if self._usage.held and (answered := await self._budgets.answered()):
            # The gateway ended when what they wrote was stored, and before they were admitted.
            await self._admit_held(answered, ANSWERED)
        self._is_loaded = True

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve(), name=f"governor of {self._number}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def is_held(self, peer_id: int) -> bool:
        """Whether messages to this person wait for their turn."""
        return peer_id in self._usage.held

    async def admit(self, contact: Contact) -> FirstContact | None:
        """Decide when a stranger may be written to; anybody else may be written to at once."""
        peer_id = contact.peer_id
        if not await self._budgets.is_stranger(peer_id):
            return None
        if not self._is_loaded:
            await self.load()
        now = self._clock()
        usage = self._usage.with_held(peer_id)
        *_, expected = expected_grants(self._settings, usage, usage.held, now)
        if expected <= now:
            self._usage = usage.with_grants([peer_id], now)
            return FirstContact(granted=now)
        self._usage = usage
        self._changed.set()
        code = ANSWERS_ONLY if usage.is_suspected(now) else BUDGET_SPENT
        notice = Incoming(
            peer_id=peer_id,
            message_ids=(0,),
            date=int(now),
            is_echo=True,
            text=held_text(code, expected, self._language),
            contact=contact,
        )
        return FirstContact(None, expected, code, notice)

    def wake(self) -> None:
        """Look again whose turn has come, because the clock was set."""
        self._changed.set()

    def reload(self) -> None:
        """Read from the database what was used, because our knowledge may be wrong."""
        self._is_loaded = False
        self._changed.set()

    async def count_look_up(self) -> None:
        """Count a phone that is about to be looked up, or raise ResolvingDelayed."""
        if not self._is_loaded:
            await self.load()
        now = self._clock()
        due = next_look_up(self._settings, self._usage, now)
        if due > now:
            raise ResolvingDelayed("the number has looked up as many phones as is safe", due - now)
        self._usage = self._usage.with_look_up(now)
        await self._budgets.count_look_up(now)

    async def record(self, events: Sequence[MessageEvent]) -> None:
        """Record what changes the budgets: a suspicion of Telegram, or a stranger who answers."""
        for event in events:
            match event:
                case Failed(failure=failure) | Resolved(failure=failure) if (
                    failure is not None and failure_entry(failure.code).reason in _SUSPICIONS
                ):
                    await self._record_suspicion(failure.code)
                case Received(incoming=Incoming(is_echo=False, peer_id=peer_id)) if self.is_held(
                    peer_id
                ):
                    await self._admit_held([peer_id], ANSWERED)
                case _:
                    pass  # it says nothing about the budgets

    async def _record_suspicion(self, cause: str) -> None:
        before, now = self._usage.suspicion, self._clock()
        suspicion = suspicion_after(before, cause, now)
        if suspicion == before:
            return
        await self._budgets.suspect(suspicion)
        logger.warning(
            "number %s: Telegram suspects spam (%s), so it only answers for %.0f s",
            self._number,
            cause,
            suspicion.until - now,
        )
        await self.load()
        held = list(islice(self._usage.held, MOST_EXPECTED))
        moments = expected_grants(self._settings, self._usage, held, now)
        await self._budgets.expect(ANSWERS_ONLY, dict(zip(held, moments, strict=True)))
        self._changed.set()

    async def _admit_held(self, peers: Sequence[int], at: float) -> None:
        await self._budgets.grant(peers, at)
        if at == ANSWERED:
            self._usage = self._usage.without_held(peers)
        else:
            self._usage = self._usage.with_grants(peers, at)
        self._release()

    async def _serve(self) -> None:
        while True:
            self._changed.clear()
            try:
                pause = await self._admit_due()
            except DatabaseError as exc:
                logger.debug("number %s: its budgets: %s", self._number, exc)
                self._is_loaded, pause = False, PAUSE
            except Exception:  # the root of the task; without it everything would wait for ever
                logger.exception("number %s: its governor failed", self._number)
                self._is_loaded, pause = False, PAUSE
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue  # the next turn has come

    async def _admit_due(self) -> float | None:
        """Admit those whose turn has come; return the seconds until the next one's turn."""
        if not self._is_loaded:
            await self.load()
        now = self._clock()
        first = list(islice(self._usage.held, AT_ONCE))
        moments = expected_grants(self._settings, self._usage, first, now)
        due = [peer for peer, moment in zip(first, moments, strict=True) if moment <= now]
        if due:
            await self._admit_held(due, now)
            return 0.0
        return min(moments[0] - now, LONGEST_SLEEP) if moments else None
