"""What all workers share: imported once in the forkserver, before the first worker is forked."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys
import time

from session_worker.confinement.confinement import get_ready
from session_worker.network.guarded_transport import tls_context

FORKSERVER = os.getpid()
"""The process whose children may run as workers."""

INHERITED_VARIABLES = ("LANG", "LC_ALL", "PATH", "TZ")
SHARED_MODULES = (
    "session_worker.process.entry",
    "session_worker.process.log",
    "session_worker.sign_in",
    "session_worker.sign_out",
    "session_worker.process.worker",
    "session_worker.number",
    # what libraries import only on first use
    "anyio._backends._asyncio",
    "encodings.idna",
    "encodings.punycode",
    "httpcore",
    "httpx",
    "multiprocess.connection",
    "multiprocess.popen_forkserver",
    "sniffio",
    "stringprep",
)

# On an overloaded machine the warm-up takes several seconds, and without it workers use twice the
# memory; but the supervisor kills a forkserver that has been idle for half a minute.
LIMIT = 25.0  # seconds
COUNTED_CALLS = 8
"""CPython counts a function's first calls in its code, and then writes a faster form over it."""
padding: list[bytes] = []
"""Fills places between shared objects: a worker that put its own there would copy the page."""
HEAD = sys.getsizeof(b"")
SMALL = range(48, 512 + 1, 16)  # bytes, of which CPython keeps objects of one size together
POOL = 16 << 10  # bytes for objects of one size
LARGE = (16384, 8192, 4096, 2048, 1536, *range(1040, 512, -16))
"""Bytes; the C library keeps free places of up to 1040 bytes for objects of the very same size."""
MOST = 5000  # objects of one size, in case another allocator is in use, which has no end of gaps
MOST_FILLED = 1 << 20  # bytes for objects of one size, in the same case
SURE = 4  # objects in a row at the end of the C library's heap prove that no gap is left


def warm() -> None:
    """Import and try out what a worker uses, then keep the garbage collector from touching the shared pages."""
    for name in SHARED_MODULES:
        importlib.import_module(name)
    from session_worker.process.code_layout import lay_side_by_side
    from session_worker.process.log import set_levels
    from session_worker.process.trial import code_of_messages, code_of_rest, code_of_start
    from session_worker.process.warmup import warm_up

    # Where the operator has chosen no other level, workers need not write to all loggers.
    set_levels("INFO")
    tls_context()
    get_ready()
    if sys.version_info < (3, 12):  # later versions do not count references to names
        # The cache is full of names that only imports use, so each worker would rewrite it.
        sys._clear_type_cache()  # noqa: SLF001 - documented for such special purposes
    end = time.monotonic() + LIMIT
    warm_up(1, end)  # afterwards nothing is imported or built for the first time
    groups = code_of_rest(end), code_of_start(end), code_of_messages(end)
    lay_side_by_side(*groups, make_room=fill)
    warm_up(COUNTED_CALLS, end)
    fill()
    gc.freeze()


def fill() -> None:
    """Fill the free places between the objects that there are."""
    gc.collect()
    for size in SMALL:
        padding.extend(fill_pools(size))
    for size in LARGE * 2:  # the first time the lists themselves leave gaps
        padding.extend(fill_heap(size))


def fill_pools(size: int) -> list[bytes]:
    """Return objects in all free places for objects of this size, and in one whole new pool."""
    made: list[bytes] = []
    in_a_row = last = 0
    while (in_a_row < POOL // size - 2 or last % POOL + 2 * size <= POOL) and len(made) < MOST:
        made.append(bytes(size - HEAD))
        in_a_row = in_a_row + 1 if id(made[-1]) == last + size else 0
        last = id(made[-1])
    return made


def fill_heap(size: int) -> list[bytes]:
    """Return objects in all gaps of the C library's heap that are of this size or larger."""
    made: list[bytes] = []
    beyond = end = 0
    while beyond < SURE and len(made) * size < MOST_FILLED:
        made.append(bytes(size - HEAD))
        beyond = beyond + 1 if id(made[-1]) > end else 0
        end = max(end, id(made[-1]))
    return made


def leave_stopping_to_the_supervisor() -> None:
    """Ignore signals sent to the whole group; the end of the supervisor ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def forget_environment() -> None:
    """Remove the environment from memory too: /proc shows what a process was started with, including secrets."""
    environment = os.environ  # noqa: TID251 - read for the last time
    inherited = {name: environment[name] for name in INHERITED_VARIABLES if name in environment}
    libc = ctypes.CDLL(None)
    for address in _addresses(ctypes.POINTER(ctypes.c_void_p).in_dll(libc, "environ")):
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
    libc.clearenv()
    environment.clear()
    environment.update(inherited)


def _addresses(strings: ctypes._Pointer[ctypes.c_void_p]) -> list[int]:
    found: list[int] = []
    while (address := strings[len(found)]) is not None:
        found.append(int(address))
    return found


leave_stopping_to_the_supervisor()
forget_environment()
warm()
leave_stopping_to_the_supervisor()  # again, because the event loop of the warm-up has undone it
