"""A session whose Telegram and Planfix are files in its spool, killed at random places."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.protocol.contract import (
    KeySaved,
    SessionChanged,
    SessionState,
    UpdateState,
    UpdateStateMoved,
)
from session_worker.protocol.messages import (
    Contact,
    Deliver,
    Delivered,
    Failure,
    Incoming,
    PartSent,
    Received,
    Resolve,
    Resolved,
    Send,
    StatusTold,
    Stored,
    TellStatus,
    Trying,
)

if TYPE_CHECKING:
    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.protocol.outgoing import Part
    from session_worker.session import Outbox

MORTAL = "mortal "
"""Before the chance of one in so many that a step is the worker's last."""
CHATS = 3
ECHOES = 3
FIRST_OWN = 1_000_000
PHONE_BOOK = {"380501112233": 77}


class SpoolFiles:
    """What Telegram and Planfix have; it outlives every worker."""

    def __init__(self, spool: Path) -> None:
        spool.mkdir(parents=True, exist_ok=True)
        self._log = spool / "world"
        self._updates = spool / "updates"

    def write(self, *words: object) -> None:
        with self._log.open("ab", buffering=0) as file:
            file.write((" ".join(map(str, words)) + "\n").encode())

    def read(self, kind: str) -> list[list[str]]:
        if not self._log.exists():
            return []
        lines = (line.split() for line in self._log.read_text().splitlines())
        return [words[1:] for words in lines if words[0] == kind]

    @property
    def updates(self) -> int:
        """How many messages people have written to the number."""
        return int(self._updates.read_text()) if self._updates.exists() else 0

    @updates.setter
    def updates(self, count: int) -> None:
        fresh = self._updates.with_suffix(".new")
        fresh.write_text(str(count))
        fresh.replace(self._updates)


class SpoolSession:
    """Does at once whatever it is told, until chance or a signal ends it."""

    last_heard: float | None = None
    queue_depth = 0

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        way = assignment.planfix.provider_id
        self._danger = int(way.removeprefix(MORTAL)) if way.startswith(MORTAL) else 0
        self._outbox = outbox
        self._world = SpoolFiles(Path(assignment.spool))
        self._stopped = asyncio.Event()
        self._is_new = assignment.session is None
        state = assignment.session and assignment.session.update_state
        self._pts = state.pts if state else 0

    async def run(self) -> None:
        if self._is_new:
            self._outbox.put(
                KeySaved(dc_id=1, server_address="nowhere", port=1, auth_key=b"k" * 256)
            )
        self._outbox.put(SessionChanged(state=SessionState.ONLINE))
        await self._hear_own()
        heard = self._pts
        while not self._stopped.is_set():
            newest = self._world.updates
            for place in range(heard + 1, newest + 1):
                await self._outbox.report(Received(positions=(place,), incoming=message(place)))
                self._risk()
            heard = newest
            await asyncio.sleep(0.01)

    async def _hear_own(self) -> None:
        """Hear what was sent before a restart, as Telegram's difference tells it."""
        for place, (_, peer_id, _) in list(enumerate(self._world.read("out")))[-ECHOES:]:
            echo = message(place).model_copy(
                update={
                    "peer_id": int(peer_id),
                    "message_ids": (FIRST_OWN + place,),
                    "is_echo": True,
                }
            )
            await self._outbox.report(Received(positions=(), incoming=echo))

    async def stop(self) -> None:
        self._stopped.set()

    async def handle(self, command: Command) -> None:
        self._risk()
        match command:
            case Stored(positions=positions):
                self._pts = max(self._pts, *positions)
                self._outbox.put(UpdateStateMoved(update_state=UpdateState(pts=self._pts)))
            case Deliver(row=row, incoming=incoming):
                self._outbox.put(Trying(row=row))
                self._risk()
                self._world.write("in", incoming.peer_id, incoming.message_ids[0])
                self._risk()
                self._outbox.put(Delivered(row=row))
            case Send():
                self._send(command)
            case TellStatus(row=row, planfix_id=planfix_id, status=status):
                self._world.write("status", planfix_id, status)
                self._risk()
                self._outbox.put(StatusTold(row=row, status=status))
            case Resolve():
                self._outbox.put(resolved(command))
            case _:
                raise NotImplementedError(command.kind)
        self._risk()

    def _send(self, order: Send) -> None:
        self._outbox.put(Trying(row=order.row))
        for place, part in enumerate(order.outgoing.parts):
            if not part.is_sent:
                self._risk()
                ids = self._take(order.outgoing.peer_id, order.outgoing.planfix_id, part)
                self._risk()
                self._outbox.put(PartSent(row=order.row, part=place, message_ids=ids))

    def _take(self, peer_id: int, planfix_id: str, part: Part) -> tuple[int, ...]:
        """Send as Telegram would: what has the same random id is the same message."""
        [random_id] = part.random_ids
        taken = [words[0] for words in self._world.read("out")]
        if str(random_id) not in taken:
            self._world.write("out", random_id, peer_id, planfix_id)
            taken.append(str(random_id))
        return (FIRST_OWN + taken.index(str(random_id)),)

    def _risk(self) -> None:
        if self._danger and random.random() < 1 / self._danger:
            os.kill(os.getpid(), signal.SIGKILL)


def message(place: int) -> Incoming:
    peer_id = 1 + place % CHATS
    return Incoming(
        peer_id=peer_id,
        message_ids=(place,),
        date=1_700_000_000 + place,
        text=f"message {place}",
        contact=Contact(peer_id=peer_id),
    )


def resolved(question: Resolve) -> Resolved:
    peer_id = PHONE_BOOK.get(question.phone or "")
    if peer_id is not None:
        return Resolved(request_id=question.request_id, contact=Contact(peer_id=peer_id))
    failure = Failure(code="CONTACT_NOT_FOUND")
    return Resolved(request_id=question.request_id, failure=failure)
