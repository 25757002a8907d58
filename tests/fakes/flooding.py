"""A session taken over by somebody who says over the pipe what no sound session says."""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING, Any

from session_worker.protocol.pipe import HEADER
from tests.fakes.session import FakeSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox

MANY = 400_000
Frame = dict[str, Any]


class FloodingSession(FakeSession):
    """Says at once what its number's `provider_id` names, past all models; others behave."""

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        super().__init__(assignment, outbox, lease)
        self._speech = SPEECHES.get(self._way)
        self._code = CODES.get(self._way)

    async def run(self) -> None:
        if self._speech is not None:
            await _say(self._outbox, self._speech())
        if self._code is not None:
            os._exit(self._code)
        await super().run()

    async def handle(self, command: Command) -> None:
        """Take no notice of what it is told."""


async def _say(outbox: Outbox, frames: Iterable[Frame | bytes]) -> None:
    writer = outbox._pipe._writer  # type: ignore[attr-defined]  # below the models
    for frame in frames:
        body = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        writer.write(HEADER.pack(len(body)) + body)
        await writer.drain()


def received(message_id: int, **fields: Any) -> Frame:
    contact = {"peer_id": 1, "first_name": "Taras"}
    incoming = {
        "peer_id": 1,
        "message_ids": [message_id],
        "date": 1,
        "text": "",
        "contact": contact,
    }
    return {"kind": "received", "positions": [], "incoming": incoming | fields}


def entities(start: int, count: int, **fields: Any) -> Frame:
    known = [
        {"peer_id": start + i, "access_hash": 1, "name": "n" * 100} | fields for i in range(count)
    ]
    return {"kind": "entities_seen", "entities": known}


def pulse(**fields: Any) -> Frame:
    return {"kind": "pulse", "beat_id": 1, "loop_lag": 0.0} | fields


def login(stage: str, **fields: Any) -> Frame:
    return {"kind": "login_moved", "stage": stage} | fields


def _as_text(frame: Frame, what: str, figure: str) -> bytes:
    """Write a figure that no float of Python's has."""
    return json.dumps(frame).replace(f'"{what}"', figure).encode()


def _for_ever() -> Iterator[Frame]:
    return (entities(start, 50, name="n" * 10_000) for start in itertools.count(1, 50))


SPEECHES: dict[str, Callable[[], Iterable[Frame | bytes]]] = {
    "many ids": lambda: [received(1, message_ids=list(range(1, MANY)))],
    "many positions": lambda: [received(1) | {"positions": list(range(MANY))}],
    "many entities": lambda: [entities(1, 4000)],
    "large frame": lambda: [received(1, text="x" * 3_000_000)],
    "late pulse": lambda: [pulse(last_heard=1e300)],
    "fat pulse": lambda: [_as_text(pulse(memory="@"), "@", "9" * 400)],
    "endless pulse": lambda: [_as_text(pulse(loop_lag="@"), "@", "Infinity")],
    "unasked pulses": lambda: [pulse(beat_id=i) for i in range(1, 100)],
    "huge row": lambda: [{"kind": "trying", "row": 2**63}],
    "login": lambda: [login("logged_in")] * 1000,
    "login page": lambda: [login("qr_shown", qr_url="tg://login?token=AQIDBA")],
    "failed login": lambda: [{"kind": "login_failed", "request_id": 1, "failure": "flood_wait"}],
    "flood": _for_ever,
    "forbidden": lambda: [entities(1, 1, name="forbidden")],
    "nul": lambda: [
        entities(1, 1, name="a\0b", username="\0"),
        received(1, text="a\0b", contact={"peer_id": 1, "first_name": "\0T\0"}),
    ],
}
CODES = {"exit 66": 66, "exit 70": 70, "exit 71": 71}
