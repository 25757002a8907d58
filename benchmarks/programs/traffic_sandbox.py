"""A sandbox that writes to its numbers by order: `python -m benchmarks.programs.traffic_sandbox KEY`, an order a line.

It is a process of its own, so that nothing else delays what it measures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from benchmarks.programs.load import steadily
from benchmarks.programs.sandbox import open_planfix
from sandbox.sandbox import Sandbox
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.records.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.planfix.account import Account
    from sandbox.telegram.accounts.accounts import Account as Person

LOOKS = 0.05  # seconds between two looks at what has arrived
LONGEST_ORDER = 1 << 20  # bytes


class TimedMailbox(Mailbox):
    """A mailbox that knows when each text of somebody else came in."""

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, float] = {}

    def add(self, *args: Any, **kwargs: Any) -> Any:
        message = super().add(*args, **kwargs)
        if not message.out:
            self.came.setdefault(message.content.text, time.time())
        return message


@dataclass(slots=True)
class Line:
    """One number with its contact and its account in Planfix."""

    me: Person
    contact: Person
    box: TimedMailbox
    planfix: Account
    written: dict[str, float] = field(default_factory=dict)
    seen: int = 0

    def called(self) -> Iterator[tuple[str, float]]:
        """Yield the texts about which Planfix has been called since the last question, with the time."""
        calls = self.planfix.journal.calls
        for call in calls[self.seen :]:
            if call.fields["cmd"] == ("newMessage",):
                yield call.fields["message"][0], call.at
        self.seen = len(calls)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the messages of one stretch; a delay is in milliseconds."""

    count: int
    in_time: int
    seconds: float
    delays: list[float]


class TrafficSandbox:
    """Carries out the orders."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._lines: dict[str, Line] = {}
        self._flood: asyncio.Task[None] | None = None

    async def obey(self, order: dict[str, Any]) -> Any:
        match order:
            case {"open": [*numbers]}:
                return {number: self._open(number) for number in numbers}
            case {"write": [*numbers], "rate": rate, "seconds": seconds, "patience": patience}:
                lines = [self._lines[number] for number in numbers]
                return asdict(await self._write(lines, rate, seconds, patience))
            case {"flood": number, "rate": rate}:
                self._flood = asyncio.create_task(self._write_on(self._lines[number], rate))
            case {"calm": patience}:
                await self._calm(patience)
            case {"came": [*numbers]}:
                return self._came(numbers)
            case _:
                raise ValueError(f"no order: {order}")
        return None

    def _open(self, number: str) -> dict[str, Any]:
        centre = self._sandbox.data_centre
        me, contact = (
            centre.add_account(number, "Olena"),
            centre.add_account(f"67{number}", "Taras"),
        )
        contact.box = box = TimedMailbox()
        planfix = open_planfix(self._sandbox, f"client{number}")
        self._lines[number] = Line(me, contact, box, planfix)
        return {
            "session": centre.session_string_for(number),
            "planfix": planfix.url,
            "contact": contact.id,
        }

    async def _write(
        self, lines: list[Line], rate: float, seconds: float, patience: float
    ) -> Written:
        start, count = time.perf_counter(), 0
        async for place in steadily(rate, seconds):
            self._write_one(lines[place % len(lines)], f"{start} {place}")
            count += 1
        delays: list[float] = []
        await self._read_delays(lines, delays)
        in_time, end = len(delays), time.perf_counter()
        while len(delays) < count and time.perf_counter() < end + patience:
            await asyncio.sleep(LOOKS)
            await self._read_delays(lines, delays)
        return Written(count, in_time, end - start, delays)

    async def _write_on(self, line: Line, rate: float) -> None:
        start = time.perf_counter()
        async for place in steadily(rate):
            self._write_one(line, f"flood {start} {place}")

    async def _calm(self, patience: float) -> None:
        """End the flood, and wait until Planfix has all of it."""
        if self._flood is None:
            return
        self._flood.cancel()
        await asyncio.gather(self._flood, return_exceptions=True)
        self._flood = None
        async with asyncio.timeout(patience):
            while any(line.written for line in self._lines.values()):
                await self._read_delays(list(self._lines.values()), [])
                await asyncio.sleep(LOOKS)

    def _write_one(self, line: Line, text: str) -> None:
        line.written[text] = time.time()
        self._sandbox.data_centre.message_actions.send(line.contact, line.me, Draft(text))

    async def _read_delays(self, lines: list[Line], delays: list[float]) -> None:
        for line in lines:
            for text, at in line.called():
                if (written := line.written.pop(text, None)) is not None:
                    delays.append((at - written) * 1000)
        await asyncio.sleep(0)

    def _came(self, numbers: list[str]) -> dict[str, float]:
        """Return when each text has come to a contact since the last question."""
        came: dict[str, float] = {}
        for number in numbers:
            box = self._lines[number].box
            came |= box.came
            box.came.clear()
        return came


async def serve(key: Path) -> None:
    """Obey until the standard input ends."""
    reader = asyncio.StreamReader(LONGEST_ORDER)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    gc.freeze()
    gc.disable()  # a collection would pause all numbers for 20 ms, which is not the gateway's fault
    async with Sandbox() as sandbox:
        centre = sandbox.data_centre
        await asyncio.to_thread(key.write_text, centre.public_key_pem)
        traffic = TrafficSandbox(sandbox)
        _print({"host": centre.host, "port": centre.port, "http": sandbox.http_url})
        while order := await reader.readline():
            _print(await traffic.obey(json.loads(order)))


def _print(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
