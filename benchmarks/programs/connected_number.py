"""Numbers online in a gateway program, with a sandbox in this process that measures to the millisecond."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.programs.gateway import running_gateway
from benchmarks.programs.load import employee_form
from benchmarks.programs.numbers import bring_online, registration
from benchmarks.programs.sandbox import as_program, open_planfix
from sandbox.sandbox import Sandbox
from sandbox.telegram.chats.message_actions import Draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from benchmarks.programs.gateway import GatewayProgram
    from sandbox.planfix.account import Account
    from sandbox.telegram.accounts.accounts import Account as Person

GLANCES = 0.0003  # seconds between two looks
PATIENCE = 60.0  # seconds
PHONES = itertools.count(380_500_000_001)


@dataclass(frozen=True, slots=True)
class ConnectedNumber:
    """One number with a contact in Telegram and an account in Planfix."""

    sandbox: Sandbox
    me: Person
    contact: Person
    planfix: Account
    token: str

    @property
    def number(self) -> str:
        return self.me.phone

    def write(self, text: str) -> float:
        """Write as the contact; return the time."""
        written = time.time()
        self.sandbox.data_centre.message_actions.send(self.contact, self.me, Draft(text))
        return written

    def form(self, text: str, message_id: str, **fields: str) -> dict[str, str]:
        """Make the form with which Planfix sends an employee's message, perhaps with a file."""
        return employee_form(self.number, self.token, self.contact.id, message_id, text) | fields

    def posted_at(self) -> dict[str, float]:
        """Return the time at which Planfix was first called about each text."""
        found: dict[str, float] = {}
        for call in self.planfix.journal.calls:
            if call.fields["cmd"] == ("newMessage",):
                found.setdefault(call.fields["message"][0], call.at)
        return found

    def texts_of_planfix(self) -> list[str]:
        return [message.text for message in self.planfix.journal.messages]

    def texts_of_contact(self) -> list[str]:
        """Return the texts that the contact has received."""
        box = self.contact.box
        messages = (box.get(one) for one in box.conversation(self.me.id).ids)
        return [message.content.text for message in messages if message and not message.out]

    async def until_in_telegram(self, count: int) -> float:
        """Wait until the chat has this many messages; return the time."""
        ids = self.contact.box.conversation(self.me.id).ids
        await until(lambda: len(ids) >= count)
        return time.time()

    @property
    def length(self) -> int:
        return len(self.contact.box.conversation(self.me.id).ids)


async def until(condition: Callable[[], bool], pause: float = GLANCES) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the sandbox does not signal it
            await asyncio.sleep(pause)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The sandbox and a gateway program that uses it."""

    sandbox: Sandbox
    gateway: GatewayProgram

    async def open(self) -> ConnectedNumber:
        """Bring a number online; its contact has written to it once."""
        centre, number = self.sandbox.data_centre, str(next(PHONES))
        me = centre.add_account(number, "Olena")
        contact = centre.add_account(f"67{number}", "Taras")
        session = centre.session_string_for(number)
        planfix = open_planfix(self.sandbox, f"client{number}")
        token = await bring_online(self.gateway, registration(number, session, planfix.url))
        line = ConnectedNumber(self.sandbox, me, contact, planfix, token)
        line.write("hello")
        await until(lambda: bool(planfix.journal.messages))
        return line

    async def show(self, line: ConnectedNumber) -> Any:
        return await self.gateway.call("GET", f"/numbers/{line.number}")


@asynccontextmanager
async def running_fleet(folder: Path) -> AsyncIterator[Fleet]:
    async with Sandbox() as sandbox, running_gateway(folder, as_program(sandbox)) as gateway:
        await gateway.until_serving()
        yield Fleet(sandbox, gateway)
