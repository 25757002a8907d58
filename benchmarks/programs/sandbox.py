"""The sandbox as a child process whose cost can be measured, or in this process."""

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

from sandbox.planfix.settings import Settings

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from sandbox.planfix.account import Account
    from sandbox.sandbox import Sandbox

TOP = Path(__file__).parents[2]
PATIENCE = 30  # seconds
PLANFIX_TOKEN = "planfix-token"
PROVIDER = "telegram"


@dataclass(frozen=True, slots=True)
class SandboxProgram:
    """A running sandbox, and how a gateway finds it."""

    process: psutil.Process
    startup: float
    telegram_host: str
    telegram_port: int
    http_url: str
    public_key: str

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


def as_program(sandbox: Sandbox) -> SandboxProgram:
    """Describe the sandbox in this process as if it were another program."""
    centre = sandbox.data_centre
    return SandboxProgram(
        psutil.Process(), 0.0, centre.host, centre.port, sandbox.http_url, centre.public_key_pem
    )


def open_planfix(sandbox: Sandbox, name: str) -> Account:
    """Open an account in the Planfix of the sandbox in this process."""
    settings = Settings(planfix_token=PLANFIX_TOKEN, provider_id=PROVIDER)
    return sandbox.planfix.put_account(name, settings)
