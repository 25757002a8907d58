"""A session taken over by somebody who tries what can be had, if there are targets in its spool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.attacks import Targets, attempt
from tests.fakes.session import FakeSession

if TYPE_CHECKING:
    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment
    from session_worker.session import Outbox

TARGETS = "targets.json"
REPORT = "report.json"
HOARD = 2 << 30  # bytes


class HostileSession(FakeSession):
    """Writes down how each attempt ended, then behaves."""

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        super().__init__(assignment, outbox, lease)
        self._spool = Path(assignment.spool)

    async def run(self) -> None:
        targets = self._spool / TARGETS
        if targets.exists():
            report = attempt(Targets.model_validate_json(targets.read_bytes()))
            report["hoard memory"] = _hoard()
            (self._spool / REPORT).write_text(json.dumps(report))
        await super().run()


def _hoard() -> str:
    try:
        return str(len(bytearray(HOARD)))
    except MemoryError:
        return "MemoryError"
