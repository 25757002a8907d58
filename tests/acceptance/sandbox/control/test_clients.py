"""What the sandbox's page asks about the clients of accounts, and does to them."""

from __future__ import annotations

import asyncio
import signal
import sys
from base64 import b64encode
from typing import TYPE_CHECKING

import psutil
import pytest
from telethon import TelegramClient, events

from tests.acceptance.sandbox.control.conftest import ALICE, BOB
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from tests.acceptance.sandbox.control.conftest import Control


# A process of its own on the way of a connection: what is done to it happens to the client.
RELAY = """
import asyncio, sys

async def pass_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def serve(reader, writer):
    there, here = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(pass_on(reader, here), pass_on(there, writer))

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
async def bob(control: Control) -> AsyncIterator[Any]:
    """Connect an unmodified client as Bob."""
    client = await control.client_of(BOB)
    await client.connect()
    await client.get_me()
    yield client
    await client.disconnect()


async def test_file_of_a_message_is_opened(control: Control) -> None:
    """A file is answered to those who see the message; what a browser might run is only saved."""
    page = b"<script>alert(1)</script>"
    file = {"name": "page.html", "mime": "text/html", "base64": b64encode(page).decode()}
    [message_id] = await control.write(ALICE, BOB, files=[file])
    [text_id] = await control.write(ALICE, BOB, text="no file")

    answer = await control.http.get("/telegram/file", params={"of": ALICE, "id": message_id})

    assert answer.content == page
    assert answer.headers["content-disposition"].startswith("attachment; ")
    await control.ask("GET", f"/telegram/file?of={ALICE}&id={text_id}", 404)
    await control.ask("GET", f"/telegram/file?of={ALICE}&id=999", 404)


async def test_typing_is_seen(control: Control, bob: Any) -> None:
    """A client is told that somebody is typing to it."""
    seen: asyncio.Queue[Any] = asyncio.Queue()
    bob.add_event_handler(seen.put, events.UserUpdate())
    await control.ask("POST", "/telegram/typing", by=ALICE, chat_with=BOB)
    async with asyncio.timeout(PATIENCE):
        assert (await seen.get()).typing


async def test_faults_in_force_are_listed(control: Control) -> None:
    """A fault is listed while it lasts, with whom and what it concerns."""
    await control.ask("POST", "/telegram/faults", kind="deaf", phone=BOB)
    await control.ask("POST", "/telegram/faults", kind="cut", seconds=0.01)
    flood = {"error": "FLOOD_WAIT_5", "method": "messages.sendMessage", "times": 1}
    await control.ask("POST", "/telegram/faults", **flood)

    async def is_over() -> bool:
        return len(await control.ask("GET", "/telegram/faults")) == 2

    await eventually(is_over)
    assert await control.ask("GET", "/telegram/faults") == [
        {"kind": "deaf", "phone": BOB},
        {"error": "FLOOD_WAIT_5", "phone": None, "method": "messages.sendmessage"},
    ]
    await control.ask("DELETE", "/telegram/faults")
    assert await control.ask("GET", "/telegram/faults") == []


async def test_qr_codes_that_wait_are_listed(control: Control) -> None:
    """A QR code is listed until it is scanned."""
    session = (await control.client_of(BOB)).session
    session.auth_key = None
    client = TelegramClient(session, 1, "x", retry_delay=0.05, timeout=PATIENCE)
    await client.connect()
    try:
        login = await client.qr_login()
        assert await control.ask("GET", "/telegram/qr") == [{"url": login.url}]
        await control.ask("POST", "/telegram/qr", phone=BOB, url=login.url)
        assert await control.ask("GET", "/telegram/qr") == []
    finally:
        await client.disconnect()


async def test_only_other_processes_are_signalled(control: Control, bob: Any) -> None:
    """The sandbox signals neither itself nor a process that is not connected as the account."""
    assert bob.is_connected()
    for phone in (ALICE, BOB):
        await control.ask("POST", "/telegram/process", 409, phone=phone, do="kill")
    await control.ask("POST", "/telegram/process", 400, phone=BOB, do="explode")


async def test_process_of_a_client_is_frozen_and_thawed(control: Control) -> None:
    """A frozen process stands still until it is thawed, and then goes on; a killed one is gone."""
    client = await control.client_of(BOB)
    session = client.session
    relay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RELAY, str(session.port)), stdout=asyncio.subprocess.PIPE
    )
    assert relay.stdout is not None
    session.set_dc(session.dc_id, "127.0.0.1", int(await relay.stdout.readline()))
    seen = psutil.Process(relay.pid)
    try:
        await client.connect()
        await client.get_me()
        for do, is_still in (("freeze", True), ("thaw", False)):
            answer = await control.ask("POST", "/telegram/process", phone=BOB, do=do)
            assert answer == {"processes": [relay.pid]}
            await eventually(lambda: (seen.status() == psutil.STATUS_STOPPED) is is_still)  # noqa: B023 - awaited at once
        assert (await client.get_me()).phone == BOB
        await control.ask("POST", "/telegram/process", phone=BOB, do="kill")
        assert await relay.wait() == -signal.SIGKILL
    finally:
        if relay.returncode is None:
            relay.kill()
        await client.disconnect()
