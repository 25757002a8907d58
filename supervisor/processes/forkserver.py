"""The one warm process from which workers are forked, and all our calls to multiprocess."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import multiprocess
from multiprocess import forkserver as multiprocess_forkserver

from session_worker.confinement.confinement import layers
from session_worker.process import entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRELOAD = "session_worker.process.preload"
MERGING = {True: "session_worker.process.merging_on", False: "session_worker.process.merging_off"}
PATIENCE = (
    30.0  # seconds; the first fork waits for the imports, which take long on a loaded machine
)
STATUS_LOST = 255  # what multiprocess reports when the forkserver died with its children

T = TypeVar("T")
logger = logging.getLogger(__name__)


class ForkFailed(Exception):
    """No worker could be forked."""


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process with our end of its pipe; the descriptor becomes readable when it ends."""

    pid: int
    descriptor: int
    end: socket.socket
    process: Any

    def signal(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self.descriptor, number)
        except ProcessLookupError:
            logger.debug("process %d has ended already", self.pid)

    def schedule(self, *, behind_others: bool) -> None:
        """Let its main thread never push others off the processor when it wakes, or let it again."""
        policy = os.SCHED_BATCH if behind_others else os.SCHED_OTHER
        try:
            os.sched_setscheduler(self.pid, policy, os.sched_param(0))
        except OSError as exc:  # it has ended, or the system does not let us
            logger.debug("process %d keeps its priority: %s", self.pid, exc)


class Forkserver:
    """Forks and reaps workers, one call at a time, in a thread of its own."""

    def __init__(self, *, merging: bool = True) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forkserver")
        self._context = multiprocess.get_context("forkserver")
        self._context.set_forkserver_preload([MERGING[merging], PRELOAD])

    async def warm_up(self) -> None:
        """Start the imports before the first worker is needed."""
        await self._call(multiprocess_forkserver.ensure_running)

    async def fork(self) -> Child:
        forking = asyncio.ensure_future(self._call(self._fork))
        try:
            return await asyncio.shield(forking)
        except asyncio.CancelledError:
            # The thread forks all the same, and the process it forks must not be left behind.
            await self.discard(await forking)
            raise

    async def discard(self, child: Child) -> None:
        child.signal(signal.SIGKILL)
        child.end.close()
        await self.reap(child)

    async def reap(self, child: Child) -> int | None:
        """Wait until a process has ended and the forkserver has forgotten it.

        Return its exit code, which is negative for a signal, or None if the forkserver died too.
        """
        status: int = await self._call(lambda: _reap(child))
        return None if status == STATUS_LOST else status

    def close(self) -> None:
        """End the thread; the forkserver itself ends with this process."""
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._thread, function)
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(running)
        except TimeoutError:
            # All its workers die with it, and then the keepers start new ones.
            logger.critical("the forkserver does not answer, so it is killed")
            _kill_forkserver()
            return await running

    def _fork(self) -> Child:
        ours, theirs = self._context.Pipe()
        try:
            with _main_hidden():
                process = self._context.Process(target=entry.main, args=(theirs,), daemon=True)
                process.start()
            descriptor = os.pidfd_open(process.pid)
        except (OSError, EOFError) as exc:
            raise ForkFailed(str(exc)) from exc
        else:
            end = socket.socket(fileno=os.dup(ours.fileno()))
            return Child(process.pid, descriptor, end, process)
        finally:
            ours.close()
            theirs.close()  # the worker must hold the only other end, or we never read the end of file


def log_confinement() -> None:
    """Log which layers confine the workers on this system, and which are missing."""
    found = layers()
    present = [name for name, is_present in found.items() if is_present]
    missing = [name for name, is_present in found.items() if not is_present]
    logger.info("workers are confined by %s", ", ".join(present) or "limits only")
    if missing:
        logger.warning("workers run without %s: see SECURITY.md", ", ".join(missing))


def _reap(child: Child) -> int:
    child.process.join()
    status: int = child.process.exitcode
    child.process.close()
    os.close(child.descriptor)
    return status


def _kill_forkserver() -> None:
    pid = multiprocess_forkserver._forkserver._forkserver_pid  # noqa: SLF001 - the pid is available nowhere else
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep multiprocess from importing our main module, the whole web server, into each worker."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
