"""How soon supervisord and circus start a trivial process again after it was killed."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.programs.gateway import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 5
GLANCE = 0.002  # seconds
CALM = 3.0  # seconds for which the process runs before it is killed; they count from 1 s on as a good start
PATIENCE = 60.0  # seconds
SCRIPT = "echo $$ > {folder}/new && mv {folder}/new {folder}/pid && exec sleep 1000\n"
SUPERVISORD = """
[supervisord]
nodaemon = true
logfile = {folder}/log
pidfile = {folder}/supervisord.pid

[program:trivial]
command = /bin/sh {folder}/trivial.sh
"""
CIRCUS = """
[circus]
endpoint = tcp://127.0.0.1:{first}
pubsub_endpoint = tcp://127.0.0.1:{second}

[watcher:trivial]
cmd = /bin/sh {folder}/trivial.sh
"""


def supervisord(programs: Path) -> float:
    """Return the median of the seconds from a kill until the process runs again."""
    return _measure(programs / "supervisord", ("--configuration",), SUPERVISORD)


def circus(programs: Path) -> float:
    return _measure(programs / "circusd", (), CIRCUS)


def _measure(program: Path, options: tuple[str, ...], settings: str) -> float:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trivial.sh").write_text(SCRIPT.format(folder=folder))
        place = settings.format(folder=folder, first=free_port(), second=free_port())
        (folder / "settings.ini").write_text(place)
        with _running((program, *options, folder / "settings.ini")):
            return statistics.median([_restart(folder / "pid") for _ in range(TIMES)])


@contextmanager
def _running(command: tuple[str | Path, ...]) -> Iterator[None]:
    silent = subprocess.DEVNULL
    # Elsewhere, because in our own folder `supervisor` would be ours.
    folder, variables = Path(command[-1]).parent, {"PATH": os.defpath}
    with subprocess.Popen(
        command, stdout=silent, stderr=silent, cwd=folder, env=variables
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _restart(place: Path) -> float:
    pid = _read_other(place, "")
    time.sleep(CALM)
    start = time.perf_counter()
    os.kill(int(pid), signal.SIGKILL)
    _read_other(place, pid)
    return time.perf_counter() - start


def _read_other(place: Path, pid: str) -> str:
    """Wait until the process has written another id, and return it."""
    give_up = time.monotonic() + PATIENCE
    while not place.exists() or place.read_text() == pid:
        if time.monotonic() > give_up:
            raise RuntimeError("the process was not started again")
        time.sleep(GLANCE)
    return place.read_text()
