"""The gateway as the Procfile starts it, in a child process whose cost can be measured."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from benchmarks.programs.sandbox import TOP

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from benchmarks.programs.sandbox import SandboxProgram

ADMIN_KEY = "operators-key-of-the-benchmarks"
CLIENT = "Romashka"
PATIENCE = 600.0  # seconds; the machine may be busy
LOOKS = 0.02  # seconds between two looks


class GatewayEnded(Exception):
    """The gateway ended before it served."""


@dataclass(frozen=True, slots=True)
class GatewayProgram:
    """A gateway that was started a moment ago."""

    process: Process
    started: float
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"{self.http.base_url}".rstrip("/")

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = await self.http.request(method, path, json=body)
        return answer.raise_for_status().json()

    async def until_serving(self) -> None:
        """Wait until it accepts calls; the numbers start at the same time."""
        await until(self._serves)

    async def _serves(self) -> bool:
        if self.process.returncode is not None:
            raise GatewayEnded(f"the gateway has ended with status {self.process.returncode}")
        try:
            return (await self.http.get("/healthz")).is_success
        except httpx.TransportError:
            return False

    def family(self) -> list[psutil.Process]:
        """Return the server with every process that came from it, itself first."""
        master = psutil.Process(self.process.pid)
        return [master, *master.children(recursive=True)]

    async def terminate(self) -> float:
        """Stop it in an orderly way; return the seconds until none of its processes is left."""
        family, start = self.family(), time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        await self.process.wait()

        async def are_gone() -> bool:
            return not any(process.is_running() for process in family)

        await until(are_gone)
        return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How a gateway is started otherwise than by default."""

    log: Path | None = None
    """With a log everything is written there, otherwise only errors are shown."""
    database: str | None = None
    application: str = "api:create_app()"

    @property
    def environment(self) -> dict[str, str]:
        level = {} if self.log is None else {"LOG_LEVEL": "INFO"}
        return level if self.database is None else level | {"DATABASE_URL": self.database}


BY_DEFAULT = GatewayOptions()


@asynccontextmanager
async def running_gateway(
    folder: Path, sandbox: SandboxProgram, options: GatewayOptions = BY_DEFAULT
) -> AsyncIterator[GatewayProgram]:
    """Start hypercorn on a free port with its data in the folder, and leave no process behind."""
    url, started = f"http://127.0.0.1:{free_port()}", time.perf_counter()
    with ExitStack() as stack:
        output = None if options.log is None else stack.enter_context(options.log.open("ab"))
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "hypercorn",
                "--workers",
                "0",
                "--bind",
                url.removeprefix("http://"),
            ),
            options.application,
            cwd=folder,
            env=_environment(folder, sandbox, url) | options.environment,
            stdout=output,
            stderr=output,
        )
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=PATIENCE, trust_env=False
    ) as http:
        gateway = GatewayProgram(process, started, http)
        try:
            yield gateway
        finally:
            with suppress(psutil.NoSuchProcess):  # gone, though asyncio has not noticed yet
                _kill(gateway.family())
            await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], pause: float = LOOKS) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(pause)


def _environment(folder: Path, sandbox: SandboxProgram, url: str) -> dict[str, str]:
    key = folder / "dc.pem"
    key.write_text(sandbox.public_key)
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return {
        **inherited,
        "PYTHONPATH": str(TOP),
        "ADMIN_KEY": ADMIN_KEY,
        "SECRET_KEY": urlsafe_b64encode(bytes(range(32))).decode(),
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "hash-of-the-benchmarks",
        "TELEGRAM_DC": f"{sandbox.telegram_host}:{sandbox.telegram_port}",
        "TELEGRAM_DC_KEY": str(key),
        "DATA_DIR": str(folder / "data"),
        "PUBLIC_URL": url,
        "ALLOW_PRIVATE_PLANFIX": "1",
        "LOG_LEVEL": "ERROR",
    }


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
