"""Prints what the kernel says of a process from the forkserver: are its pages offered for merging.

Run as `python -m tests.process.workers.merging_program 0|1`
"""

from __future__ import annotations

import sys

import multiprocess

from session_worker.confinement.kernel import PR_GET_MEMORY_MERGE, prctl
from supervisor.processes.forkserver import Forkserver


def tell() -> None:
    try:
        sys.stdout.write(f"{prctl(PR_GET_MEMORY_MERGE)}\n")
    except OSError:
        sys.stdout.write("unknown\n")
    sys.stdout.flush()


if __name__ == "__main__":
    forkserver = Forkserver(merging=sys.argv[1] == "1")
    process = multiprocess.get_context("forkserver").Process(target=tell)
    process.start()
    process.join()
    forkserver.close()
