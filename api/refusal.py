"""How the program ends when it can not start: with a sentence, with a status that says failure."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from multiprocessing.synchronize import SemLock
from typing import Any, NoReturn


class StartRefused(Exception):
    """The gateway can not start; the reason is for its operator."""


def refuse(sentence: str) -> NoReturn:
    master = multiprocessing.parent_process()
    if master is None or master.pid is None or "hypercorn" not in sys.argv[0]:
        raise SystemExit(sentence)
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    # Hypercorn's master ends with 0 when its child fails, which platforms take for success.
    _clear_semaphores()
    os.kill(master.pid, signal.SIGUSR1)
    os._exit(1)


def _clear_semaphores() -> None:
    """Remove those that Hypercorn's master shares with us.

    Ended by a signal it can not, which Python would tell at length below our sentence.
    """
    for held in gc.get_objects():
        if issubclass(type(held), SemLock):  # isinstance would ask proxies that stand for nothing
            shared: Any = held
            shared._cleanup(shared._semlock.name)  # noqa: SLF001 - its name is told nowhere else
