"""What becomes of 50 numbers of one client when Planfix, Telegram, the database or their processes are gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import make_url

from benchmarks.measurement import Measurement
from benchmarks.programs.gateway import BY_DEFAULT, GatewayOptions, running_gateway, until
from benchmarks.programs.numbers import ACCOUNT, is_online, register, shown_numbers
from benchmarks.programs.sandbox import as_program, open_planfix
from sandbox.planfix.fault import Fault, Mode
from sandbox.sandbox import Sandbox
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.support.databases import running_postgres
from tests.support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.programs.gateway import GatewayProgram
    from sandbox.planfix.account import Account
    from sandbox.telegram.accounts.accounts import Account as Person

NUMBERS = [f"38052{number:07}" for number in range(50)]
EACH = 40  # messages that wait for each number
AWAY = 60.0  # seconds
UNSYNCED = 15.0  # seconds
ATTACHING = 2.0  # seconds for strace
FAULTS = {
    "refuses": Fault(mode=Mode.DOWN),
    "answers 503": Fault(mode=Mode.ERROR, status=503),
    "hangs": Fault(mode=Mode.SLOW, seconds=3600),
}
GLANCE = 0.02  # seconds


class Fleet:
    """The numbers between the sandbox, which is in this process, and a gateway program."""

    def __init__(self, sandbox: Sandbox, gateway: GatewayProgram, planfix: Account) -> None:
        self.sandbox = sandbox
        self.gateway = gateway
        self.planfix = planfix
        centre = sandbox.data_centre
        self.people: list[tuple[Person, Person]] = [
            (centre.add_account(f"67{number}", "Taras"), centre.account_of(number))
            for number in NUMBERS
        ]

    def write(self, count: int) -> None:
        """Let the contact of each number write so many messages."""
        for place in range(count):
            for contact, me in self.people:
                self.sandbox.data_centre.message_actions.send(contact, me, Draft(f"{place}"))

    async def until_arrived(self, count: int) -> float:
        """Wait until Planfix has got so many messages in all; return when."""

        async def are_there() -> bool:
            return len(self.planfix.journal.messages) >= count

        await until(are_there, GLANCE)
        return time.perf_counter()

    async def until_online(self, *, but: frozenset[int] = frozenset()) -> None:
        async def are_online() -> bool:
            return all(
                is_online(each) and each["worker"]["pid"] not in but
                for each in await shown_numbers(self.gateway)
            )

        await until(are_online, 0.1)

    async def pids(self) -> frozenset[int]:
        shown = await shown_numbers(self.gateway)
        return frozenset(each["worker"]["pid"] for each in shown if each["worker"])


async def measure() -> list[Measurement]:
    async with _running_fleet(BY_DEFAULT) as fleet:
        figures = [
            *(await _syncs_fail(fleet) if shutil.which("strace") else ()),
            *[figure for name in FAULTS for figure in await _planfix_away(fleet, name)],
            *await _telegram_away(fleet),
            *await _all_killed(fleet),
            *await _forkserver_killed(fleet),
        ]
    with running_postgres() as postgres, postgres.fresh_database() as url:
        direct = make_url(url)
        async with Relay(str(direct.query["host"]), 5432) as way:
            place = direct.set(host="127.0.0.1", port=way.port, query={})
            options = GatewayOptions(database=place.render_as_string(hide_password=False))
            async with _running_fleet(options) as fleet:
                figures += await _database_away(fleet, way)
    return figures


@asynccontextmanager
async def _running_fleet(options: GatewayOptions) -> AsyncIterator[Fleet]:
    with TemporaryDirectory() as name:
        async with Sandbox() as sandbox:
            planfix = open_planfix(sandbox, ACCOUNT)
            program = as_program(sandbox)
            async with running_gateway(Path(name), program, options) as gateway:
                await register(gateway, program, NUMBERS)
                fleet = Fleet(sandbox, gateway, planfix)
                fleet.write(1)
                await fleet.until_arrived(len(NUMBERS))
                yield fleet


async def _planfix_away(fleet: Fleet, how: str) -> list[Measurement]:
    had, calls = len(fleet.planfix.journal.messages), len(fleet.planfix.journal.calls)
    fleet.planfix.add_fault(FAULTS[how])
    fleet.write(EACH)
    await asyncio.sleep(AWAY)
    called = len(fleet.planfix.journal.calls) - calls
    fleet.planfix.clear_faults()
    back = time.perf_counter()
    first = await fleet.until_arrived(had + 1) - back
    last = await fleet.until_arrived(had + EACH * len(NUMBERS)) - back
    waited = f"Planfix {how} for {AWAY:g} s"
    return [
        Measurement(f"{waited}: calls of 50 numbers meanwhile", called / AWAY, "/s", at_most=5),
        Measurement("  first waiting message there after", first, "s", at_most=5),
        Measurement(f"  last of {EACH * len(NUMBERS)} there after", last, "s"),
    ]


async def _syncs_fail(fleet: Fleet) -> list[Measurement]:
    """Let strace answer every `fsync` of the gateway with an error."""
    had, before = len(fleet.planfix.journal.messages), await fleet.pids()
    injected = ("-e", "inject=fsync,fdatasync:error=EIO", "-p", f"{_writer_of(fleet)}")
    strace = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync", *injected)
    )
    await asyncio.sleep(ATTACHING)
    fleet.write(EACH)
    await asyncio.sleep(UNSYNCED)
    early = len(fleet.planfix.journal.messages) - had
    strace.terminate()
    await strace.wait()
    back = time.perf_counter()
    last = await fleet.until_arrived(had + EACH * len(NUMBERS)) - back
    kept = len(before & await fleet.pids())
    return [
        Measurement(
            f"fsync fails for {UNSYNCED:g} s: messages in Planfix meanwhile", early, "", at_most=0
        ),
        Measurement(f"  last of {EACH * len(NUMBERS)} there after", last, "s"),
        Measurement("  workers that were restarted", len(NUMBERS) - kept, "", at_most=0),
    ]


def _writer_of(fleet: Fleet) -> int:
    """Return the process that has the database open."""
    for process in fleet.gateway.family():
        if any(file.path.endswith("telefix.db") for file in process.open_files()):
            return process.pid
    raise RuntimeError("no process has the database open")


async def _telegram_away(fleet: Fleet) -> list[Measurement]:
    before = await fleet.pids()
    fleet.sandbox.data_centre.afflict(Kind.CUT, seconds=AWAY)
    await asyncio.sleep(AWAY)
    back = time.perf_counter()
    await fleet.until_online()
    kept = len(before & await fleet.pids())
    return [
        Measurement(
            f"Telegram cut for {AWAY:g} s: all online after", time.perf_counter() - back, "s"
        ),
        Measurement("  workers that were restarted", len(NUMBERS) - kept, "", at_most=0),
    ]


async def _database_away(fleet: Fleet, way: Relay) -> list[Measurement]:
    had, before = len(fleet.planfix.journal.messages), await fleet.pids()
    await way.cut()
    fleet.write(EACH)
    await asyncio.sleep(AWAY)
    await way.mend()
    back = time.perf_counter()
    last = await fleet.until_arrived(had + EACH * len(NUMBERS)) - back
    await fleet.until_online()
    kept = len(before & await fleet.pids())
    gone = f"PostgreSQL gone for {AWAY:g} s"
    return [
        Measurement(f"{gone}: last of {EACH * len(NUMBERS)} in Planfix after", last, "s"),
        Measurement("  all online after", time.perf_counter() - back, "s"),
        Measurement("  workers that were restarted", len(NUMBERS) - kept, "", at_most=0),
    ]


async def _all_killed(fleet: Fleet) -> list[Measurement]:
    killed = await fleet.pids()
    start = time.perf_counter()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return await _restarted(fleet, "all workers killed", start, killed)


async def _forkserver_killed(fleet: Fleet) -> list[Measurement]:
    killed = await fleet.pids()
    forkserver = psutil.Process(min(killed)).parent()
    assert forkserver is not None
    start = time.perf_counter()
    forkserver.kill()
    return await _restarted(fleet, "forkserver killed", start, killed)


async def _restarted(
    fleet: Fleet, what: str, start: float, killed: frozenset[int]
) -> list[Measurement]:
    await fleet.until_online(but=killed)
    taken = time.perf_counter() - start
    restarts = sum(each["restarts"] for each in await shown_numbers(fleet.gateway))
    starts = Counter(int(psutil.Process(pid).create_time()) for pid in await fleet.pids())
    return [
        Measurement(f"{what}: all online after", taken, "s", at_most=30),
        Measurement("  most starts within a second", max(starts.values()), ""),
        Measurement("  restarts so far, for each number", restarts / len(NUMBERS), ""),
    ]
