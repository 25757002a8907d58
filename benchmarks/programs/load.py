"""Load for a program: forms at a steady rate or as fast as they are answered, from a client that costs almost nothing."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from benchmarks.programs.sandbox import PROVIDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


async def steadily(rate: float, seconds: float = math.inf) -> AsyncIterator[int]:
    """Count as often in a second as the rate says, however long the caller takes for each."""
    start, place = time.perf_counter(), 0
    while (due := start + place / rate) < start + seconds:
        await asyncio.sleep(due - time.perf_counter())
        yield place
        place += 1


def employee_form(
    number: str, token: str, contact: int, message_id: str, text: str
) -> dict[str, str]:
    """Make the form with which Planfix sends an employee's message."""
    return {
        "cmd": "newMessage",
        "providerId": PROVIDER,
        "channel": number,
        "token": token,
        "chatId": f"{number}_{contact}",
        "messageId": message_id,
        "message": text,
        "userName": "Olena",
        "taskEmail": "task+1@romashka.planfix.example",
    }


class Connection:
    """One caller that posts form after form."""

    def __init__(
        self, url: str, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._address = urlsplit(url)
        self._key = f"Authorization: Bearer {key}\r\n" if key else ""
        self._reader = reader
        self._writer = writer

    async def post(self, form: Mapping[str, str]) -> bytes:
        """Return the body of the answer, which has to be 200 or 202."""
        body = urlencode(form).encode()
        head = (
            f"POST {self._address.path} HTTP/1.1\r\nHost: {self._address.netloc}\r\n"
            f"{self._key}Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        content = await self._reader.readexactly(int(length or b"0"))
        if not answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 202 ")):
            raise RuntimeError(f"{self._address.netloc}: {answer.decode()} {content.decode()}")
        return content

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connections(url: str, count: int, key: str = "") -> AsyncIterator[list[Connection]]:
    address = urlsplit(url)
    opened = [
        Connection(url, key, *await asyncio.open_connection(address.hostname, address.port))
        for _ in range(count)
    ]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


async def post_all(
    url: str, forms: Iterator[Mapping[str, str]], callers: int, key: str = ""
) -> float:
    """Post all forms as fast as they are answered; return the seconds that took."""

    async def post_some(connection: Connection) -> None:
        for form in forms:
            await connection.post(form)

    async with connections(url, callers, key) as opened:
        start = time.perf_counter()
        await asyncio.gather(*map(post_some, opened))
        return time.perf_counter() - start
