"""The sandbox as a child process whose cost can be measured."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

TOP = Path(__file__).parents[1]
PATIENCE = 30  # seconds


@dataclass(frozen=True, slots=True)
class SandboxProgram:
    """A running `python -m sandbox`."""

    process: psutil.Process
    startup: float
    telegram_host: str
    telegram_port: int
    http_url: str
    public_key: str

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Return the resident memory in MB."""
        return float(self.process.memory_info().rss) / 2**20


@asynccontextmanager
async def running_sandbox() -> AsyncIterator[SandboxProgram]:
    """Start the sandbox on free ports, and stop it with SIGTERM."""
    with TemporaryDirectory() as folder:
        key = Path(folder, "key.pem")
        start = time.perf_counter()
        command = ("-m", "sandbox", "--key", str(key))
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=TOP, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                said = await _lines_until_ready(child)
            startup = time.perf_counter() - start
            host, _, port = said["Telegram"].rpartition(":")
            process = psutil.Process(child.pid)
            public_key = await asyncio.to_thread(key.read_text)
            yield SandboxProgram(process, startup, host, int(port), said["HTTP"], public_key)
        finally:
            child.terminate()
            await child.wait()


async def _lines_until_ready(child: Process) -> dict[str, str]:
    assert child.stdout is not None
    said: dict[str, str] = {}
    while line := (await child.stdout.readline()).decode().strip():
        if line == "READY":
            return said
        name, _, value = line.partition(": ")
        said[name] = value
    raise RuntimeError("the sandbox ended before it was ready")
