"""`python -m sandbox`, started as a process."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.acceptance.api.server import free_port
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ACCOUNT = {"planfix_token": "pf-key", "provider_id": "telegram"}
CONTACT = {"cmd": "getContact", "contactId": "1", "providerId": "telegram"}


@dataclass
class Program:
    """A sandbox of its own."""

    process: asyncio.subprocess.Process
    lines: list[str]

    @property
    def http_url(self) -> str:
        return self.told("HTTP: ")

    def told(self, start: str) -> str:
        return next(line.removeprefix(start) for line in self.lines if line.startswith(start))

    async def read_line(self) -> str:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        assert line, "the sandbox ended"
        self.lines.append(line.decode().rstrip("\n"))
        return self.lines[-1]

    async def end(self, number: int) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def running(key: Path, *options: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--key", str(key), *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Program(process, [])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path / "key.pem", "--telegram-port", "0", "--http-port", "0") as started:
        while await started.read_line() != "READY":
            pass
        yield started


async def test_both_ports_serve_when_it_says_ready(program: Program, tmp_path: Path) -> None:
    """At READY the key is written, the chosen ports are told, both take connections."""
    async with httpx.AsyncClient(base_url=program.http_url, timeout=PATIENCE) as http:
        assert (await http.get("/planfix")).json() == []

    host, _, port = program.told("Telegram: ").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    assert "BEGIN RSA PUBLIC KEY" in (tmp_path / "key.pem").read_text()


async def test_ports_may_be_chosen(tmp_path: Path) -> None:
    """Ports that are given are the ones that serve."""
    telegram, http = free_port(), free_port()
    options = ("--telegram-port", str(telegram), "--http-port", str(http))

    async with running(tmp_path / "key.pem", *options) as program:
        while await program.read_line() != "READY":
            pass

    assert program.lines == [
        f"Telegram: 127.0.0.1:{telegram}",
        f"HTTP: http://127.0.0.1:{http}",
        "READY",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_it_cleanly(program: Program, number: int) -> None:
    """SIGTERM or SIGINT ends it with code 0, a client's idle connection notwithstanding."""
    async with httpx.AsyncClient(base_url=program.http_url, timeout=PATIENCE) as http:
        await http.get("/planfix")

        assert await program.end(number) == 0


async def test_signal_ends_it_under_a_slow_call(program: Program) -> None:
    """A call that would take an hour does not keep it alive."""
    async with httpx.AsyncClient(base_url=f"{program.http_url}/planfix/", timeout=PATIENCE) as http:
        await http.put("demo", json=ACCOUNT)
        await http.post("demo/faults", json={"mode": "slow", "seconds": 3600})
        call = asyncio.create_task(http.post("demo/webchat/api", data=CONTACT))
        while not (await http.get("demo/calls")).json():
            pass

        assert await program.end(signal.SIGTERM) == 0
        with pytest.raises(httpx.TransportError):
            await call


async def test_faults_cut_connections_here_too(program: Program) -> None:
    """The program's own event loop cuts a connection as well as the tests' one."""
    async with httpx.AsyncClient(base_url=f"{program.http_url}/planfix/", timeout=PATIENCE) as http:
        await http.put("demo", json=ACCOUNT)
        await http.post("demo/faults", json={"mode": "lost_answer", "times": 1})

        with pytest.raises(httpx.TransportError):
            await http.post("demo/webchat/api", data=CONTACT)
        answer = await http.post("demo/webchat/api", data=CONTACT)

    assert answer.status_code == 401


async def test_taken_port_is_told(tmp_path: Path) -> None:
    """A port somebody else has ends it with words instead of a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option in ("--http-port", "--telegram-port"):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sandbox", "--key", str(tmp_path / "key"), option, port),
                stderr=asyncio.subprocess.PIPE,
            )
            _, words = await process.communicate()

            assert process.returncode == 1
            assert re.match(rb"sandbox: .*address already in use", words.lower())
