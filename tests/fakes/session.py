"""A session without Telegram, whose `provider_id` says how it misbehaves."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

from session_worker.protocol.contract import SessionChanged, SessionState, Trouble, TroubleCode
from session_worker.session import ConnectionLeftOpen, SessionEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox

GROWTH = 96 << 20  # bytes
NOW = "now "
"""Before the name of a misbehaviour: do it at once, not when SIGUSR1 asks for it."""


class FakeSession:
    """Online at once; misbehaves when told to."""

    last_heard: float | None = 1_700_000_000.0
    queue_depth = 3

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        self._way = assignment.planfix.provider_id
        self._outbox = outbox
        self._stopped = asyncio.Event()
        self._asked = asyncio.Event()
        self._held = b""
        if self._way == "flooded":
            self.queue_depth = 1000
        if self._way == "no boot":
            raise ValueError("this session cannot be made")

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._asked.set)
        if self._way.startswith(NOW):
            await self._misbehave()
        self._outbox.put(SessionChanged(state=SessionState.ONLINE))
        asked = asyncio.create_task(self._asked.wait())
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({asked, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            await self._misbehave()
        asked.cancel()
        if self._way == "line left open":
            raise ConnectionLeftOpen

    async def stop(self) -> None:
        if self._way == "never stop":
            await asyncio.Event().wait()
        self._stopped.set()

    async def handle(self, command: Command) -> None:
        raise NotImplementedError(command.kind)

    async def _misbehave(self) -> None:
        way = self._way.removeprefix(NOW)
        if way == "revoked":
            trouble = Trouble(code=TroubleCode.REVOKED)
            raise SessionEnded(SessionState.NEEDS_LOGIN, trouble)
        if way == "nonsense":
            os.write(_pipe_of(self._outbox), b"\x00\x00\x00\x02no")
            await asyncio.Event().wait()
        if way == "grow":
            self._held = b"\x01" * GROWTH
            await self._stopped.wait()
            return
        _DEEDS[way]()


def _crash() -> None:
    raise RuntimeError("a bug in one number's path")


def _eat(eaten: list[bytes]) -> None:
    while True:
        eaten.append(bytes(64 * 1024 * 1024))


def _spin() -> None:
    while True:
        pass


def _block() -> None:
    time.sleep(3600)


def _pipe_of(outbox: Outbox) -> int:
    """Reach below the frames, as only a bug could."""
    writer = outbox._pipe._writer  # type: ignore[attr-defined]  # not for sessions
    descriptor: int = writer.get_extra_info("socket").fileno()
    return descriptor


_DEEDS: dict[str, Callable[[], None]] = {
    "raise": _crash,
    "exit": lambda: os._exit(3),
    "abort": os.abort,
    "balloon": lambda: _eat([]),
    "spin": _spin,
    "block": _block,
    "return": lambda: None,
}
