"""How the program ends when it can not start: with a sentence, with a status that says failure."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from typing import NoReturn


class StartRefused(Exception):
    """The gateway can not start; the reason is for its operator."""


def refuse(sentence: str) -> NoReturn:
    master = multiprocessing.parent_process()
    if master is None or master.pid is None or "hypercorn" not in sys.argv[0]:
        raise SystemExit(sentence)
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    # Hypercorn's master ends with 0 when its child fails, which platforms take for success.
    os.kill(master.pid, signal.SIGUSR1)
    os._exit(1)
