"""A file of 100 MB through the sandbox as a program, watched from outside."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tests.acceptance.sandbox.telegram.pictures import named, noise
from tests.support.callers import caller
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

MEGABYTE = 1 << 20
SIZE = 100  # megabytes
ALLOWED = 16  # megabytes of memory that such a file may cost
PHONES = {"alice": "380501110001", "robert": "380501110002"}


class Peak:
    """The most memory a process has had while it was watched."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self._now()
        self._most = self._before

    @property
    def added(self) -> float:
        return (self._most - self._before) / MEGABYTE

    async def watch(self) -> None:
        while True:
            self._most = max(self._most, self._now())
            await asyncio.sleep(0.02)

    def _now(self) -> int:
        used: int = self._process.memory_full_info().uss
        return used


@contextlib.asynccontextmanager
async def running_sandbox(key: Path) -> AsyncIterator[tuple[int, str]]:
    """Run the sandbox in a process of its own; give its pid, its HTTP address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--key", str(key), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        said = ""
        while "READY" not in said:
            line = await process.stdout.readline()
            assert line, f"the sandbox ended: {said}"
            said += line.decode()
        yield process.pid, said.partition("HTTP: ")[2].split()[0]
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def new_client(http: httpx.AsyncClient, name: str) -> AsyncIterator[Any]:
    account = {"phone": PHONES[name], "first_name": name, "username": name}
    await http.post("/telegram/accounts", json=account)
    answer = await http.post("/telegram/sessions", json={"phone": PHONES[name]})
    client = TelegramClient(
        StringSession(answer.json()["string_session"]), 1, "x", timeout=PATIENCE
    )
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


@pytest.mark.timeout(600)  # the clients' encryption alone takes seconds
async def test_big_file_is_streamed(tmp_path: Path) -> None:
    """100 MB go up, come down whole, while the sandbox holds but a few of them at a time."""
    content = noise(MEGABYTE) * SIZE
    key, copy = tmp_path / "key.pem", tmp_path / "copy.bin"

    async with (
        running_sandbox(key) as (pid, url),
        caller(url) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        rsa.add_key(key.read_text(), old=False)
        hers, his = [await stack.enter_async_context(new_client(http, name)) for name in PHONES]
        warmth = await hers.send_file("robert", named("warm.bin", noise(3 * MEGABYTE)))
        await warmth.download_media(str(copy))
        peak = Peak(pid)
        watching = asyncio.create_task(peak.watch())
        sent = await hers.send_file("robert", named("big.bin", content))
        (received,) = await his.get_messages("alice")
        await received.download_media(str(copy))
        watching.cancel()
        query = {"of": PHONES["robert"], "with": PHONES["alice"]}
        shown = (await http.get("/telegram/messages", params=query)).json()[-1]

    wanted = sha256(content).hexdigest()
    assert sha256(copy.read_bytes()).hexdigest() == shown["file"]["sha256"] == wanted
    assert shown["file"]["size"] == sent.file.size == SIZE * MEGABYTE
    assert peak.added <= ALLOWED
