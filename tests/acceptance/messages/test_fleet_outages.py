"""Telegram or the Planfix of one client is away from many numbers at once."""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.planfix.fault import Fault, Mode
from sandbox.planfix.settings import Settings
from sandbox.sandbox import Sandbox
from sandbox.telegram.chats.message_actions import Draft
from supervisor.config import Config, TelegramDataCentre
from supervisor.login.session_transfer import SessionSource
from tests.process.workers.conftest import make_gateway, new_number
from tests.support.relay import Relay
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.planfix.account import Account
    from sandbox.telegram.accounts.accounts import Account as Person
    from supervisor.gateway import Gateway

NUMBERS = [f"3805000000{number:02}" for number in range(20)]
HURRIED = "tests.fakes.crashing:CrashingNumber"
REAL = "session_worker.number:NumberSession"

pytestmark = pytest.mark.timeout(600)


@dataclass
class Client:
    """A client with many numbers, all in one Planfix account; a contact writes to each."""

    sandbox: Sandbox
    gateway: Gateway
    planfix: Account
    to_telegram: Relay
    to_planfix: Relay
    people: list[tuple[Person, Person]]
    written: int = 0

    def write(self, count: int) -> None:
        """Let the contact of each number write so many messages."""
        send = self.sandbox.data_centre.message_actions.send
        for place in range(self.written, self.written + count):
            for contact, me in self.people:
                send(contact, me, Draft(f"{place:03}"))
        self.written += count

    @property
    def in_planfix(self) -> dict[str, list[str]]:
        """Show the texts of each chat as Planfix has them."""
        found: dict[str, list[str]] = {}
        for message in self.planfix.journal.messages:
            found.setdefault(message.chat_id, []).append(message.text)
        return found

    def callers_since(self, first: int) -> Counter[str]:
        """Count the calls that Planfix got about each number."""
        calls = self.planfix.journal.calls[first:]
        return Counter(call.fields["chatId"][0].partition("_")[0] for call in calls)

    async def until_all_arrived(self) -> None:
        texts = [f"{place:03}" for place in range(self.written)]

        def is_there() -> bool:
            chats = self.in_planfix.values()
            return len(chats) == len(self.people) and all(chat[-1:] == texts[-1:] for chat in chats)

        await eventually(is_there, awaited="the last message of each chat")
        assert list(self.in_planfix.values()) == [texts] * len(self.people)

    async def until_shown(self, state: str) -> None:
        async def is_shown() -> bool:
            return {view.state for view in await self.gateway.numbers()} == {state}

        await eventually(is_shown, awaited=f"all {state}")

    async def until_all_miss_planfix(self) -> None:
        """Wait until each number has found that Planfix is away, so that none finds it later."""

        async def is_missed() -> bool:
            errors = [view.last_error for view in await self.gateway.numbers()]
            return all(error and error.code == "planfix_unavailable" for error in errors)

        await eventually(is_missed, awaited="all miss Planfix")

    async def pids(self) -> set[int]:
        return {view.worker.pid for view in await self.gateway.numbers() if view.worker}


@asynccontextmanager
async def client_of(tmp_path: Path, factory: str) -> AsyncIterator[Client]:
    async with Sandbox() as sandbox:
        centre = sandbox.data_centre
        settings = Settings(planfix_token="planfix-token", provider_id="telegram")
        planfix = sandbox.planfix.put_account("acme", settings)
        url = httpx.URL(planfix.url)
        async with (
            Relay(centre.host, centre.port) as to_telegram,
            Relay(url.host, url.port or 80) as to_planfix,
        ):
            place = TelegramDataCentre("127.0.0.1", to_telegram.port, centre.public_key_pem)
            config = Config(
                *(tmp_path, tmp_path / "sessions", 1, "hash", place),
                allow_private_planfix=True,
                session_factory=factory,
            )
            database = f"sqlite+aiosqlite:///{tmp_path / 'telefix.db'}"
            async with make_gateway(config, database) as gateway:
                client = Client(sandbox, gateway, planfix, to_telegram, to_planfix, [])
                for number in NUMBERS:
                    address = str(url.copy_with(port=to_planfix.port)) + "/webchat/api"
                    await add(client, number, address)
                await client.until_shown("online")
                client.write(1)
                await client.until_all_arrived()
                yield client


async def add(client: Client, number: str, url: str) -> None:
    centre = client.sandbox.data_centre
    me = centre.add_account(number, "Olena")
    client.people.append((centre.add_account(f"67{number}", "Taras"), me))
    session = centre.session_string_for(number)
    new = replace(new_number(number), url_planfix=url)
    await client.gateway.create(new, SessionSource(string=session))


@pytest.fixture
async def hurried(tmp_path: Path) -> AsyncIterator[Client]:
    """A client whose numbers try again soon, so that tests need not wait."""
    async with client_of(tmp_path, HURRIED) as client:
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, REAL) as client:
        yield client


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "supervisor")
    return caplog


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in log.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_telegram_is_away(hurried: Client, log: pytest.LogCaptureFixture, how: str) -> None:
    """All say that they reconnect, keep their workers, then hear what was written meanwhile."""
    pids = await hurried.pids()

    if how == "cut":
        await hurried.to_telegram.cut()
    else:
        hurried.to_telegram.silence()
        hurried.to_planfix.silence()
    await hurried.until_shown("reconnecting")
    hurried.write(3)
    await hurried.to_telegram.mend()
    await hurried.to_planfix.mend()

    await hurried.until_shown("online")
    await hurried.until_all_arrived()
    assert await hurried.pids() == pids
    lost, found = warnings(log)
    assert lost.startswith("Telegram cannot be reached")
    assert found.startswith("Telegram can be reached again")


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_planfix_of_one_client_is_away(
    client: Client, log: pytest.LogCaptureFixture, how: str
) -> None:
    """The log has a line for its going, another for its return, with which all come through."""
    pids = await client.pids()

    if how == "cut":
        await client.to_planfix.cut()
    else:
        client.to_planfix.silence()
    client.write(40)
    await eventually(lambda: warnings(log), awaited="a warning")
    await client.until_all_miss_planfix()
    await client.to_planfix.mend()

    await client.until_all_arrived()
    assert await client.pids() == pids
    assert len(warnings(log)) == 2
    assert re.match(r"Planfix at \S+ does not answer", warnings(log)[0])
    assert re.match(r"Planfix at \S+ answers again, \d+ numbers", warnings(log)[1])


async def test_one_number_looks_for_all(client: Client) -> None:
    """However many numbers a client has, a Planfix that is down is called by one again and again."""
    client.planfix.add_fault(Fault(mode=Mode.ERROR, status=503))
    first = len(client.planfix.journal.calls)

    def have_called() -> bool:
        calls = client.callers_since(first)
        return len(calls) == len(NUMBERS) and max(calls.values()) >= 6

    client.write(5)
    await eventually(have_called, awaited="a call of each number, and more of one")

    (_, often), *others = client.callers_since(first).most_common()
    assert max(calls for _, calls in others) < often
    client.planfix.clear_faults()
    await client.until_all_arrived()
