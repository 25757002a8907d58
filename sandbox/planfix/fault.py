"""The faults of an account's chat API, as values that a pure function chooses from."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from sandbox.order import Order


class Mode(StrEnum):
    """The ways in which Planfix can fail a call, such as being down."""

    DOWN = "down"
    SLOW = "slow"
    ERROR = "error"
    REFUSE = "refuse"
    UNAUTHORIZED = "unauthorized"
    LOST_ANSWER = "lost_answer"


class Fault(Order):
    """One failure of the calls to an account: of the next `times` calls, or of all.

    A port that other accounts share cannot refuse the TCP handshake, so `down` aborts the connection
    without an answer before anything is carried out: a client sees a reset instead of a refusal.
    """

    mode: Mode
    times: int | None = Field(default=None, ge=1)
    cmd: str | None = None
    seconds: float = Field(default=1.0, ge=0, le=3600)
    status: int = Field(default=500, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)

    def hits(self, cmd: str) -> bool:
        return self.cmd is None or self.cmd == cmd

    def spent_once(self) -> Fault | None:
        """Return what is left of the fault after it has hit one call."""
        if self.times is None:
            return self
        return self.model_copy(update={"times": self.times - 1}) if self.times > 1 else None


class Hit(NamedTuple):
    """The fault that hits a call, and the faults that are left for the next call."""

    fault: Fault | None
    left: tuple[Fault, ...]


def add_fault(faults: tuple[Fault, ...], new: Fault) -> tuple[Fault, ...]:
    """Queue a fault behind the counted ones; an uncounted one of the same calls gives way to it."""
    return (*(f for f in faults if f.times is not None or f.cmd != new.cmd), new)


def pick_fault(faults: tuple[Fault, ...], cmd: str) -> Hit:
    """Decide which fault hits a call of `cmd`: the oldest that concerns it."""
    for place, fault in enumerate(faults):
        if fault.hits(cmd):
            rest = fault.spent_once()
            kept = () if rest is None else (rest,)
            return Hit(fault, (*faults[:place], *kept, *faults[place + 1 :]))
    return Hit(None, faults)
