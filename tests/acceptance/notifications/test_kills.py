"""Notifications survive the death of the bot's worker: none is lost or comes twice, order and limits are kept."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.bots.conftest import Bot

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.counts_messages]

PEOPLE, NOTIFICATIONS, KILLS = 4, 4, 3


async def test_killed_worker_loses_nothing(bot: Bot) -> None:
    """While people are told several things, the worker is killed again and again."""
    phones = [await add_person(bot, place) for place in range(PEOPLE)]
    answers, killed = [], set[int]()
    for place in range(NOTIFICATIONS):
        body = {"to": ["alias:crew"], "text": f"order {place}"}
        answers.append((await bot.stage.ask("POST", "/notify", bot.key, **body)).json())
        if place < KILLS:
            await kill_worker(bot, killed)

    await eventually(lambda: all_sent(bot, answers), awaited="the end of all notifications")

    expected = [f"order {place}" for place in range(NOTIFICATIONS)]
    for phone in phones:
        query = f"/telegram/messages?of={phone}&with={bot.username}"
        told = await bot.stage.control("GET", query)
        orders = [message for message in told if message["text"].startswith("order")]
        assert [message["text"] for message in orders] == expected
        # A second lies between two of them, so that no two have the same one.
        assert len({message["date"] for message in orders}) == len(orders)


async def add_person(bot: Bot, place: int) -> str:
    phone = f"3806{bot.id[-4:]}{place:04}"
    await bot.stage.control(
        "POST", "/telegram/accounts", phone=phone, first_name="Ivan", phone_visible=False
    )
    await bot.write("/start crew", phone)

    async def registered() -> bool:
        crew = [each for each in await bot.people() if each["alias"] == "crew"]
        return len(crew) == place + 1

    await eventually(registered, awaited="the registration")
    return phone


async def kill_worker(bot: Bot, killed: set[int]) -> None:
    """Kill the next worker, whatever it is doing; the last one may still be shown."""

    async def pid() -> int | None:
        shown = (await bot.stage.ask("GET", f"/bots/{bot.id}", bot.key)).json()
        worker: dict[str, Any] | None = shown.get("worker")
        is_another = worker and worker["pid"] not in killed and shown["status"] == "online"
        return worker["pid"] if worker and is_another else None

    found = await eventually(pid, awaited="a worker that is online")
    assert found is not None
    os.kill(found, signal.SIGKILL)
    killed.add(found)


async def all_sent(bot: Bot, answers: list[dict[str, Any]]) -> bool:
    for answer in answers:
        shown = (await bot.stage.ask("GET", f"/notify/{answer['id']}", bot.key)).json()
        if {each["state"] for each in shown["recipients"]} != {"sent"}:
            return False
    return True
