"""Uploads files to Telegram part by part, with never more than a few parts in memory."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.backoff import Backoff
from session_worker.telegram.errors import FloodWait, NoAnswer, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Ask = Callable[[Any], Awaitable[Any]]

PART = 512 << 10  # bytes
BIG = 10 << 20  # bytes from which Telegram requires another request
AT_A_TIME = 2  # parts uploaded at the same time, in all uploads together
LONGEST_PAUSE = 60.0  # seconds; a longer wait interrupts the upload
MOST_TRIES = 3  # tries of a part that is not answered or interrupted
BACKOFF = Backoff(first=0.2, longest=2.0)
UNANSWERED = "FILE_PART_UNANSWERED"


class Uploads:
    """All uploads of a number share the slots for parts."""

    def __init__(self, ask: Ask, until_online: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask
        self._until_online = until_online
        self._slots = asyncio.Semaphore(AT_A_TIME)

    async def upload(self, path: Path, name: str) -> Any:
        """Upload a file; the result names it in the request that sends it."""
        descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)
        try:
            size = (await asyncio.to_thread(os.stat, descriptor)).st_size
            return await self._upload(descriptor, size, name)
        finally:
            await asyncio.to_thread(os.close, descriptor)

    async def _upload(self, descriptor: int, size: int, name: str) -> Any:
        file_id, parts = secrets.randbits(63), -(-size // PART)
        save = _save_small if size <= BIG else _save_big
        tasks = [
            asyncio.create_task(self._send(descriptor, number, save(file_id, number, parts)))
            for number in range(parts)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if size <= BIG:
            return types.InputFile(file_id, parts, name, md5_checksum="")
        return types.InputFileBig(file_id, parts, name)

    async def _send(self, descriptor: int, number: int, request: Any) -> None:
        async with self._slots:
            request.bytes = await asyncio.to_thread(os.pread, descriptor, PART, number * PART)
            await self._send_part(request)
            request.bytes = b""

    async def _send_part(self, request: Any) -> None:
        """Repeat a part after a short wait or a lost connection, because Telegram keeps the other parts."""
        tries = 0
        while True:
            try:
                await self._ask(request)
            except FloodWait as wait:
                await asyncio.sleep(wait.within(LONGEST_PAUSE))
            except Unreachable as error:
                tries += 1
                if tries >= MOST_TRIES:
                    raise _given_up(error) from error
                await self._wait_for_connection(error, tries)
            else:
                return

    async def _wait_for_connection(self, error: Unreachable, tries: int) -> None:
        """Wait for a connection, but not for long, because a longer wait has to be reported."""
        await asyncio.sleep(BACKOFF.pause(tries))
        try:
            async with asyncio.timeout(LONGEST_PAUSE):
                await self._until_online()
        except TimeoutError:
            raise error from None


def _given_up(error: Unreachable) -> Exception:
    """Distinguish a file that Telegram does not accept from a connection that does not last."""
    return Refused(0, UNANSWERED) if isinstance(error, NoAnswer) else error


def _save_small(file_id: int, number: int, _: int) -> Any:
    return functions.upload.SaveFilePartRequest(file_id, number, b"")


def _save_big(file_id: int, number: int, parts: int) -> Any:
    return functions.upload.SaveBigFilePartRequest(file_id, number, parts, b"")
