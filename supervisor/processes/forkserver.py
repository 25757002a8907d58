"""The one warm process from which workers are forked, and all our calls to multiprocess."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import multiprocess
from multiprocess import forkserver as multiprocess_forkserver
from multiprocess import process as multiprocess_process

from session_worker.confinement.confinement import layers
from session_worker.process import entry
from supervisor.config import Patience
from supervisor.processes.liveness import Silence, read_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRELOAD = "session_worker.process.preload"
MERGING = {True: "session_worker.process.merging_on", False: "session_worker.process.merging_off"}
CHECK = 1.0  # seconds
# The first fork waits for the imports, which take long on a loaded machine and with a slow disk.
PATIENCE = Patience(ran=120.0, idle=30.0, stopped=10.0, on_disk=120.0, unknown=60.0)
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
        """With `behind_others`, do not let it interrupt other processes when it wakes up; else let it."""
        policy = os.SCHED_BATCH if behind_others else os.SCHED_OTHER
        try:
            os.sched_setscheduler(self.pid, policy, os.sched_param(0))
        except OSError as exc:  # it has ended, or the system does not let us
            logger.debug("process %d keeps its priority: %s", self.pid, exc)


class Forkserver:
    """Forks and reaps workers, one call at a time, in a thread of its own."""

    def __init__(self, *, merging: bool = True, patience: Patience = PATIENCE) -> None:
        self._patience = patience
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forkserver")
        self._turn = asyncio.Lock()
        self._context = multiprocess.get_context("forkserver")
        self._context.set_forkserver_preload([MERGING[merging], PRELOAD])

    async def warm_up(self) -> None:
        """Start the imports before the first worker is needed."""
        await self._call(multiprocess_forkserver.ensure_running)

    async def fork(self) -> Child:
        forking = asyncio.ensure_future(self._call(self._fork))
        try:
            return await asyncio.shield(forking)
        except (OSError, EOFError) as exc:
            raise ForkFailed(str(exc)) from exc
        except asyncio.CancelledError:
            # The thread forks nevertheless, and the new process must not be left behind.
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
        """Run the function in its turn; a caller who no longer wants the answer does not interrupt it."""
        return await asyncio.shield(asyncio.create_task(self._run_in_turn(function)))

    async def _run_in_turn(self, function: Callable[[], T]) -> T:
        async with self._turn:
            running = asyncio.get_running_loop().run_in_executor(self._thread, function)
            await self._watch(running)
            return await running

    async def _watch(self, running: asyncio.Future[Any]) -> None:
        """Kill a forkserver that hangs, but not one that only waits for the processor."""
        pid, silence = None, Silence(None)
        while not (await asyncio.wait({running}, timeout=CHECK))[0]:
            usage = None if (current := _forkserver_pid()) is None else read_usage(current)
            if current != pid:
                pid, silence = current, Silence(usage)
            silence = silence.longer(CHECK, CHECK)
            if silence.is_hang(usage, self._patience) and pid is not None:
                # All its workers die with it, and then the keepers start new ones.
                logger.critical("the forkserver does not answer, so it is killed")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                silence = Silence(usage)

    def _fork(self) -> Child:
        try:
            return self._fork_once()
        except ConnectionRefusedError:
            # The forkserver has closed its socket and is about to end; nothing was forked.
            _wait_for_end(_forkserver_pid())
            return self._fork_once()

    def _fork_once(self) -> Child:
        ours, theirs = self._context.Pipe()
        try:
            with _main_hidden():
                process = self._context.Process(target=entry.main, args=(theirs,), daemon=True)
                process.start()
            # At every start multiprocess would poll all workers, 0.7 ms for 200. We reap them ourselves.
            multiprocess_process._children.discard(process)  # noqa: SLF001 - nothing public removes a process
            descriptor = os.pidfd_open(process.pid)
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


def _wait_for_end(pid: int | None) -> None:
    """Wait for a child that is ending; it stays a zombie for multiprocess, which reaps it."""
    if pid is not None:
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _forkserver_pid() -> int | None:
    pid: int | None = multiprocess_forkserver._forkserver._forkserver_pid  # noqa: SLF001 - the pid is available nowhere else
    return pid


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep multiprocess from importing our main module, the whole web server, into each worker."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
