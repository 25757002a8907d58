"""Bios are asked for once, patiently never."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from telethon.tl import types

from session_worker.telegram.errors import FloodWait, TelegramError, Unreachable
from session_worker.telegram.reading.people import LONGEST_BIO, Profiles


class Telegram:
    """Answers with a bio, or with what it is told to; None never answers."""

    def __init__(self, answer: str | TelegramError | None) -> None:
        self.answer = answer
        self.asked: list[int] = []

    async def ask(self, request: Any) -> Any:
        self.asked.append(request.id)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, TelegramError):
            raise self.answer
        settings = (types.PeerSettings(), types.PeerNotifySettings(), 0)
        full = types.UserFull(request.id, *settings, about=self.answer)
        return types.users.UserFull(full, [], [])


async def test_bio_is_asked_for_once() -> None:
    """However often a chat's first message is tried; somebody else is another question."""
    telegram = Telegram(" Bees\x00 \ud83d& honey ")
    profiles = Profiles(telegram.ask)

    assert [await profiles.bio(7), await profiles.bio(7)] == ["Bees & honey"] * 2
    assert await profiles.bio(8) == "Bees & honey"
    assert telegram.asked == [7, 8]


@pytest.mark.parametrize("answer", [None, Unreachable("cut"), FloodWait(9, "FLOOD_WAIT")], ids=repr)
async def test_bio_that_does_not_come_is_done_without(answer: TelegramError | None) -> None:
    """No answer in time, no line, a pause that Telegram wants: asked once all the same."""
    telegram = Telegram(answer)
    profiles = Profiles(telegram.ask, limit=0.01)

    assert [await profiles.bio(7), await profiles.bio(7)] == ["", ""]
    assert telegram.asked == [7]


async def test_pause_that_telegram_wants_is_kept() -> None:
    """Others are not asked for before it is over."""
    telegram = Telegram(FloodWait(9, "FLOOD_WAIT"))
    profiles = Profiles(telegram.ask)

    assert [await profiles.bio(7), await profiles.bio(8)] == ["", ""]
    assert telegram.asked == [7]


async def test_long_bio_is_cut() -> None:
    """A server that keeps no limit of Telegram's fills no form of ours."""
    assert len(await Profiles(Telegram("x" * 100_000).ask).bio(7)) == LONGEST_BIO
