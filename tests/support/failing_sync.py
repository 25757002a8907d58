"""A disk that does not keep what it is given: the kernel asks us what a thread's fsync shall answer."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import queue
import select
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

from session_worker.confinement.kernel import PR_SET_NO_NEW_PRIVS, prctl, syscall
from session_worker.confinement.seccomp import ALLOW, IF_EQUAL, LOAD, RETURN
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from supervisor.database.database import Database

# seccomp, fsync and fdatasync
NUMBERS = {"x86_64": (317, 74, 75), "aarch64": (277, 82, 83)}
SET_FILTER, NEW_LISTENER = 1, 1 << 3
ASK = 0x7FC0_0000
RECEIVE, ANSWER = 0xC050_2100, 0xC018_2101
QUESTION, REPLY = 80, struct.Struct("=QqiI")  # bytes, and what the kernel calls seccomp_notif_resp
GO_ON = 1


class FailingSync:
    """Lets the syncs of the thread that writes to the database fail while it is told to.

    It is entered before the database is opened and left after it is closed.
    """

    def __init__(self) -> None:
        self.is_failing = False
        self._listeners: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._answering = threading.Thread(target=self._answer, name="failing sync", daemon=True)

    def __enter__(self) -> Self:
        self._answering.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.put(None)
        self._answering.join(PATIENCE)
        assert not self._answering.is_alive()

    async def attach(self, database: Database) -> bool:
        """Return whether the kernel asks for each sync from now on; some containers forbid that."""

        def unit(_: Any) -> bool:
            try:
                self._listeners.put(listen())
            except OSError:
                return False
            return True

        return await database.write(unit)

    def _answer(self) -> None:
        listener = self._listeners.get()
        if listener is None:
            return
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        # The kernel hangs up when the thread has ended.
        while poll.poll()[0][1] & select.POLLIN:
            question = bytearray(QUESTION)
            fcntl.ioctl(listener, RECEIVE, question)
            [name] = struct.unpack_from("=Q", question)
            error, flags = (-errno.EIO, 0) if self.is_failing else (0, GO_ON)
            fcntl.ioctl(listener, ANSWER, REPLY.pack(name, 0, error, flags))
        os.close(listener)


def listen() -> int:
    """Return a descriptor on which the kernel asks for each sync of this thread."""
    seccomp, *syncs = NUMBERS[platform.machine()]
    steps = [
        (LOAD, 0, 0, 0),
        (IF_EQUAL, 1, 0, syncs[0]),
        (IF_EQUAL, 0, 1, syncs[1]),
        (RETURN, 0, 0, ASK),
        (RETURN, 0, 0, ALLOW),
    ]
    program = b"".join(
        struct.pack("=HBBI", code, then, other, value) for code, then, other, value in steps
    )
    content = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(content))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    return syscall(seccomp, SET_FILTER, NEW_LISTENER, ctypes.c_char_p(header))
