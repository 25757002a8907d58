"""Which gateway owns the data: one works, and another takes over when it has ended."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from supervisor.background_loop import BackgroundLoop
from supervisor.errors import GatewayError, StandingBy
from supervisor.file_access import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


_POLL = 0.2  # seconds
_LOCK_FILE = "gateway.lock"

_held_descriptors: set[int] = set()


class Ownership(Protocol):
    """The right to run workers, held by one gateway at a time."""

    @property
    def held(self) -> bool: ...

    @property
    def reason(self) -> str | None:
        """Who owns the data instead; None if it is ours, or if nobody has refused it to us yet."""

    async def acquire(self) -> None:
        """Wait until the right is ours."""

    def release(self) -> None: ...


class DataDirLock:
    """Ownership for gateways on one machine: an exclusive lock on a file in DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / _LOCK_FILE
        self._descriptor: int | None = None
        self._owner = ""

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    @property
    def reason(self) -> str | None:
        if self.held or not self._owner:
            return None
        return f"standing by: process {self._owner} owns {self._data_dir}"

    async def acquire(self) -> None:
        # It polls, because a thread in a blocking flock cannot be cancelled.
        while not await self._attempt():  # noqa: ASYNC110 - the kernel does not announce a freed flock
            await asyncio.sleep(_POLL)

    def try_acquire(self) -> bool:
        if self.held:
            return True
        make_private_folder(self._data_dir)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not self._lock(descriptor):
            self._owner = os.pread(descriptor, 20, 0).decode(errors="replace") or "?"
            os.close(descriptor)
            return False
        self._hold(descriptor)
        return True

    def release(self) -> None:
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        _held_descriptors.discard(descriptor)
        os.close(descriptor)

    async def _attempt(self) -> bool:
        attempt = asyncio.create_task(asyncio.to_thread(self.try_acquire))
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            # The thread runs on, so a lock that it gets must be given back.
            await attempt
            self.release()
            raise

    def _lock(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # It is locked, but is it still the file that others will open?
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        return False

    def _hold(self, descriptor: int) -> None:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        _held_descriptors.add(descriptor)
        self._descriptor = descriptor


def _close_in_child() -> None:
    """Close a forked child's copies, which would keep the lock after its parent's death."""
    for descriptor in _held_descriptors:
        os.close(descriptor)
    _held_descriptors.clear()


# Executed programs lose the descriptor by O_CLOEXEC, and so do the children of the forkserver.
os.register_at_fork(after_in_child=_close_in_child)


AT_ONCE = 0.5  # seconds within which data without an owner becomes ours
TAKEOVER_PAUSE = 1.0  # seconds until a failed takeover is tried again

logger = logging.getLogger(__name__)


class Takeover:
    """Begins the work once the data is ours: now, or when the other gateway has ended."""

    def __init__(self, ownership: Ownership, begin: Callable[[], Awaitable[None]]) -> None:
        self._ownership = ownership
        self._begin = begin
        self._standby: BackgroundLoop | None = None
        self._trouble: str | None = None
        self._begun = False

    @property
    def not_active_reason(self) -> str | None:
        """Why this gateway cannot work on numbers; None if it can."""
        if self._begun:
            return None
        return self._trouble or self._ownership.reason or "the gateway is starting"

    def require(self) -> None:
        if not self._begun:
            raise StandingBy(self.not_active_reason)

    async def start(self) -> None:
        """Begin at once, or raise the reason why not; if another gateway owns the data, stand by."""
        acquiring = asyncio.create_task(self._ownership.acquire())
        while not acquiring.done():
            await asyncio.wait({acquiring}, timeout=AT_ONCE)
            if self._ownership.reason is not None:
                break  # otherwise the machine is so slow that not even the first try has ended
        if not acquiring.done():
            logger.warning("%s", self._ownership.reason)
            stand_by = partial(self._stand_by, acquiring)
            self._standby = BackgroundLoop("standby", stand_by, TAKEOVER_PAUSE)
            self._standby.start()
            return
        try:
            await acquiring
            await self._begin()
        except BaseException:  # cancelled or failed: another gateway may begin
            self._ownership.release()
            raise
        self._begun = True

    async def stop(self) -> None:
        """Stop waiting; data that is owned stays owned until `release`."""
        if self._standby is not None:
            await self._standby.stop()

    def release(self) -> None:
        self._begun = False
        self._ownership.release()

    async def _stand_by(self, acquiring: asyncio.Task[None]) -> float | None:
        try:
            await acquiring
            if self._trouble is None:
                logger.warning("the other gateway has ended, so this one takes over")
            await self._begin()
            self._begun = True
        except GatewayError as exc:
            logger.exception("the takeover failed and is tried again")
            self._trouble = f"takeover failed: {exc}"
            return TAKEOVER_PAUSE
        except Exception as exc:  # a bug: another gateway may do better
            logger.exception("the takeover failed")
            self._trouble = f"takeover failed: {type(exc).__name__}"
            self._ownership.release()
        return None
