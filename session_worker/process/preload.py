"""What all workers share: imported once in the forkserver, before the first worker is forked."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys

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

PLACES = 300  # of each size; about as many as imports leave empty
LARGEST_SMALL = 464  # bytes; CPython allocates larger objects elsewhere
padding: list[bytes] = []
"""Fill places between shared objects: a worker that put its own there would copy the page."""


def warm() -> None:
    """Import and try out what a worker uses, then keep the garbage collector from touching the shared pages."""
    for name in SHARED_MODULES:
        importlib.import_module(name)
    from session_worker.process.warmup import warm_up

    tls_context()
    get_ready()
    if sys.version_info < (3, 12):  # later ones do not count the references of names
        # Full of names that only imports use, it would be rewritten by each worker.
        sys._clear_type_cache()  # noqa: SLF001 - documented for such special purposes
    warm_up()
    gc.collect()
    padding.extend(bytes(size) for size in range(0, LARGEST_SMALL, 16) for _ in range(PLACES))
    gc.freeze()


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
