"""Runs the sandbox as a child process of the gateway, for SANDBOX=1."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

logger = logging.getLogger("sandbox")

HOST = "127.0.0.1"
_READY = b"READY"
_START_TIME = 30.0  # seconds
_STOP_TIME = 3.0  # seconds
_HERE = Path(__file__).parents[2]
# The kernel kills the sandbox when its gateway ends, even if the gateway was killed.
_PROGRAM = (
    "import ctypes, runpy, signal; "
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "runpy.run_module('sandbox', run_name='__main__', alter_sys=True)"
)


class SandboxFailed(Exception):
    """The embedded sandbox did not start."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """Where the sandbox listens, and the public key of its data centre."""

    telegram_port: int
    http_port: int
    key_file: Path
    host: str = HOST

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}"


@asynccontextmanager
async def run_sandbox(data_dir: Path) -> AsyncIterator[RunningSandbox]:
    telegram_port, http_port = _free_ports(2)
    sandbox = RunningSandbox(telegram_port, http_port, data_dir / "sandbox.pem")
    process = await _start(sandbox)
    try:
        await _wait_until_ready(process)
        relay = asyncio.create_task(_relay(process))
        try:
            yield sandbox
        finally:
            relay.cancel()
    finally:
        await _stop(process)


async def _start(sandbox: RunningSandbox) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        *("--telegram-port", str(sandbox.telegram_port)),
        *("--http-port", str(sandbox.http_port)),
        *("--key", str(sandbox.key_file)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=_HERE,
        start_new_session=True,  # Ctrl-C stops the gateway, which needs its sandbox until it has stopped
    )


async def _wait_until_ready(process: Process) -> None:
    try:
        async with asyncio.timeout(_START_TIME):
            while (line := await _read_line(process)) != _READY:
                if not line:
                    raise SandboxFailed("it exited during startup")
    except TimeoutError as exc:
        raise SandboxFailed(f"it was not ready within {_START_TIME:.0f} s") from exc


async def _relay(process: Process) -> None:
    while line := await _read_line(process):
        logger.info("%s", line.decode(errors="replace"))
    logger.error("the sandbox has exited")


async def _read_line(process: Process) -> bytes:
    assert process.stdout is not None
    line = await process.stdout.readline()
    return line.strip() or line


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIME):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_ports(count: int) -> list[int]:
    # All sockets stay open until the end, or one port might be returned twice.
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports
