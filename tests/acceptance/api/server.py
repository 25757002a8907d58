"""The gateway under hypercorn, as in the Procfile, and the sandbox as a program beside it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import httpx
import psutil

from tests.acceptance.api.launcher import Forked, fork_gateway, fork_sandbox
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping, Sequence

TOP = Path(__file__).parents[3]
FIRST_PORT = 10_100  # Chromium opens no page at 10080, and below that are the usual services
ONE_PROCESS = ("--workers", "0")  # as in the Procfile
BARE: tuple[str, ...] = ()  # hypercorn's master with a child for the application


def free_port() -> int:
    """Choose a port for a program that starts soon, one that the kernel gives to nobody else meanwhile."""
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = FIRST_PORT + secrets.randbelow(given - FIRST_PORT) if given > FIRST_PORT else 0
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as server:
            chosen: int = server.getsockname()[1]
            return chosen


@dataclass(frozen=True)
class Server:
    """A started gateway."""

    process: Process | Forked
    url: str
    log: Path

    @property
    def family(self) -> list[psutil.Process]:
        """The server with every process that came from it, itself first."""
        master = psutil.Process(self.process.pid)
        return [master, *master.children(recursive=True)]

    def newest_lines(self, most: int = 60) -> str:
        """Return the newest lines of its log, for whoever wonders why it did not do something."""
        return "\n".join(self.log.read_text().splitlines()[-most:])

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await self.process.wait()

    async def wait_serving(self) -> None:
        await eventually(self._is_serving, awaited=f"{self.url} serves")

    async def wait_ready(self) -> None:
        await self.wait_serving()
        await eventually(self._is_ready, awaited=f"{self.url} is ready")

    async def _is_serving(self) -> bool:
        if self.process.returncode is not None:
            raise AssertionError(f"the server ended: {self.log.read_text()}")
        return self._is_listening and await self.status("/healthz") == 200

    @property
    def _is_listening(self) -> bool:
        """Whether asking makes sense; asking in vain takes the processor from the start."""
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", httpx.URL(self.url).port)) == 0

    async def _is_ready(self) -> bool:
        return await self.status("/readyz") == 200

    async def status(self, path: str) -> int | None:
        async with caller(self.url) as asking:
            try:
                return (await asking.get(path)).status_code
            except httpx.TransportError:
                return None


@asynccontextmanager
async def running_sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Start the sandbox as a program, except that it is forked; how it is loaded has tests of its own."""
    key = folder / "dc.pem"
    with tempfile.TemporaryFile() as out:  # codes of logins are nothing to leave in a folder
        process = fork_sandbox(["--key", str(key)], out)
        try:
            said = await eventually(lambda: _said_at_ready(process, out), awaited="its READY")
            told = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
            yield {
                "TELEGRAM_DC": told["Telegram"],
                "TELEGRAM_DC_KEY": str(key),
                "SANDBOX_URL": told["HTTP"],
            }
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def _said_at_ready(process: Forked, out: IO[bytes]) -> str:
    """Return what the sandbox has said, nothing as long as it is not ready."""
    said = os.pread(out.fileno(), 1 << 16, 0).decode()
    assert process.returncode is None, f"the sandbox ended while starting: {said}"
    return said if "READY\n" in said else ""


@asynccontextmanager
async def gateway(
    folder: Path,
    settings: Mapping[str, str],
    app: str = "api:create_app()",
    umask: int = -1,
    options: Sequence[str] = ONE_PROCESS,
    port: int = 0,
) -> AsyncIterator[Server]:
    """Start hypercorn in a folder of its own, leave nothing of it behind."""
    port = port or free_port()
    log = folder / f"gateway-{port}.log"
    with log.open("ab") as out:
        process = await _start(folder, settings, [*options, app], port, out, umask)
    async with _ending(Server(process, f"http://127.0.0.1:{port}", log)) as server:
        yield server


@asynccontextmanager
async def forked_gateway(
    folder: Path, settings: Mapping[str, str], app: str = "api:create_app()", port: int = 0
) -> AsyncIterator[Server]:
    """Start the same without loading it: see `launcher`. How a gateway is loaded has tests of its own."""
    port = port or free_port()
    log = folder / f"gateway-{port}.log"
    with log.open("ab") as out:
        arguments = [*_bound(port), *ONE_PROCESS, app]
        process = fork_gateway(folder, _environment(settings, port), arguments, out)
    async with _ending(Server(process, f"http://127.0.0.1:{port}", log)) as server:
        yield server


@asynccontextmanager
async def _ending(server: Server) -> AsyncIterator[Server]:
    family = server.family
    try:
        yield server
    finally:
        with suppress(psutil.NoSuchProcess):
            family += server.family
        for one in family:
            with suppress(psutil.NoSuchProcess):
                # Whoever keeps count of the semaphores removes them, then ends by itself.
                if "resource_tracker" not in " ".join(one.cmdline()):
                    one.kill()
        await server.process.wait()


async def refused(
    folder: Path, settings: Mapping[str, str], options: Sequence[str] = ONE_PROCESS
) -> tuple[int | None, str]:
    """Return the status of a start that comes to nothing, with all that its processes said."""
    arguments = [*options, "api:create_app()"]
    process = await _start(folder, settings, arguments, free_port(), asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def _start(
    folder: Path,
    settings: Mapping[str, str],
    arguments: Sequence[str],
    port: int,
    out: IO[bytes] | int,
    umask: int = -1,
) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hypercorn", *_bound(port), *arguments),
        cwd=folder,
        env=_environment(settings, port),
        stdout=out,
        stderr=asyncio.subprocess.STDOUT,
        umask=umask,
    )


def _bound(port: int) -> tuple[str, str]:
    return "--bind", f"127.0.0.1:{port}"


def _environment(settings: Mapping[str, str], port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    own = {
        "PYTHONPATH": str(TOP),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_PORT": "0",
    }
    return {**own, **inherited, **settings}
