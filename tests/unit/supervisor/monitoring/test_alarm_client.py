"""How alarms reach a receiver that may be anything but helpful."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from supervisor.monitoring.alarm_client import AlarmRefused, AlertUrl
from tests.support.waiting import PATIENCE


async def _end_of(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        await reader.read(-1)


async def test_answer_without_an_end_holds_up_no_other_alarm() -> None:
    """Alarms are sent one after the other, so each has its time, however slowly its answer comes."""
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer with one letter of a header after the other, until the caller hangs up."""
        listening = asyncio.create_task(_end_of(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not listening.done():
            writer.write(b"x")
            await asyncio.wait({listening}, timeout=0.02)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    way = AlertUrl(f"http://127.0.0.1:{port}/", [b"key"], limit=0.2)

    async with server, asyncio.timeout(PATIENCE):
        with pytest.raises(AlarmRefused, match=r"in time|Timeout"):
            await way.send("msg_1", "{}", 0.0)
        await way.close()
        await hung_up.wait()
