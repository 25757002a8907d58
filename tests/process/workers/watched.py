"""The gateway program as its tests see it, with a look at the processes below it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

TOP = Path(__file__).parents[3]


@dataclass
class Program:
    """The running program with the newest line it printed."""

    process: Process
    said: Any = None
    reading: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said = json.loads(line)

    async def until_online(
        self, numbers: list[str], *, but: frozenset[int] = frozenset()
    ) -> set[int]:
        """Wait until all are online with workers other than those; tell the new ones."""
        await eventually(
            lambda: (
                isinstance(self.said, dict)
                and set(self.said) == set(numbers)
                and all(
                    each["state"] == "online" and each["pid"] and each["pid"] not in but
                    for each in self.said.values()
                )
            ),
            awaited=f"{numbers} online; it said {self.said}",
        )
        return {each["pid"] for each in self.said.values()}


@asynccontextmanager
async def running(
    folder: Path, lease: float, *numbers: str, **settings: str
) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.process.workers.program"),
        *(str(folder), str(lease), *numbers),
        stdout=asyncio.subprocess.PIPE,
        cwd=TOP,
        env={**os.environ, **settings},
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        await process.wait()
        await program.reading


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if _is_alive(pid)}


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def forkserver_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])
