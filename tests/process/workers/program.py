"""A gateway as a program of its own: prints a line of JSON whenever its numbers change.

Run as `python -m tests.process.workers.program FOLDER LEASE NUMBER=WAY ...`
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.config import Config, Patience, Timing
from supervisor.errors import StandingBy
from supervisor.numbers.restart_policy import RestartPolicy
from tests.process.workers.conftest import make_gateway, new_number

if TYPE_CHECKING:
    from supervisor.gateway import Gateway

NO_RESTARTS = RestartPolicy(budget=0)
# Yet a silence of FROZEN seconds is a hang, unless it was our own.
FROZEN = 3.5
SLOW_TO_KILL = Patience(ran=FROZEN - 0.5, idle=FROZEN - 0.5, on_disk=30.0, unknown=30.0)


class Endings(logging.Handler):
    """Remembers why the newest worker of each number ended."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        match record.args:
            case (name, ending, _):  # "number 380…"
                self.of[str(name).rpartition(" ")[2]] = str(ending)
            case _:
                pass  # a line about many workers


async def main(folder: Path, lease: float, numbers: list[tuple[str, str]]) -> None:
    stop, endings = asyncio.Event(), Endings()
    exits = logging.getLogger("supervisor.numbers.worker_pool")
    exits.setLevel(logging.DEBUG)
    exits.addHandler(endings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = Config(folder, folder, 1, "hash", session_factory="tests.fakes.session:FakeSession")
    timing = Timing(beat=0.3, patience=SLOW_TO_KILL, lease=lease, leave=30.0)
    url = f"sqlite+aiosqlite:///{folder / 'telefix.db'}"
    async with make_gateway(config, url, timing, NO_RESTARTS) as gateway:
        for number, way in numbers:
            await gateway.create(new_number(number, way))
        await asyncio.wait(
            {asyncio.create_task(_report(gateway, endings)), asyncio.create_task(stop.wait())},
            return_when=asyncio.FIRST_COMPLETED,
        )


async def _report(gateway: Gateway, endings: Endings) -> None:
    last = ""
    while True:
        line = json.dumps(await _describe(gateway, endings))
        if line != last:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        last = line
        await asyncio.sleep(0.02)


async def _describe(gateway: Gateway, endings: Endings) -> object:
    try:
        gateway.takeover.require()
        views = await gateway.numbers()
    except StandingBy as exc:
        return str(exc)
    return {
        view.number: {
            "state": view.state,
            "pid": view.worker.pid if view.worker else None,
            "restarts": view.restarts,
            "error": endings.of.get(view.number),
        }
        for view in views
    }


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]),
            float(sys.argv[2]),
            [(number, way) for number, _, way in (arg.partition("=") for arg in sys.argv[3:])],
        )
    )
