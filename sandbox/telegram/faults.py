"""The faults that tests order, each for certain accounts or methods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from sandbox.telegram.accounts.accounts import bare_phone
from sandbox.telegram.errors import RpcError


class Kind(StrEnum):
    """Faults of a connection, a key or an account, beyond single RPC errors."""

    CUT = "cut"
    BLACKHOLE = "blackhole"
    DEAF = "deaf"
    SLOW = "slow"
    REVOKE = "revoke"
    DUPLICATE = "duplicate"
    BAN = "ban"
    TOO_LONG = "too_long"
    EXPIRED_REFERENCES = "expired_references"
    STRICT_RANDOM_ID = "strict_random_id"
    CDN = "cdn"
    NEWER_LAYER = "newer_layer"
    NEWER_ANSWER = "newer_answer"


DEFAULT_DELAY = 1.0  # seconds
NO_ANSWER = "NO_ANSWER"  # not an error of Telegram: a method that fails with it is never answered
# These are done at once; only a cut can last, and then refuses connections.
_ACTS = frozenset({Kind.CUT, Kind.REVOKE, Kind.DUPLICATE, Kind.TOO_LONG, Kind.EXPIRED_REFERENCES})


@dataclass(frozen=True, slots=True)
class MethodFault:
    """An RPC error for a method; without an error, the method is answered with an unreadable object.

    None means every account or method.
    """

    error: str | None
    phone: str | None = None
    method: str | None = None
    code: int | None = None

    def hits(self, phone: str | None, method: str) -> bool:
        bare = method.rpartition(".")[2]
        return _names(self.phone, phone) and self.method in (None, "*", method, bare)


@dataclass(frozen=True, slots=True)
class Condition:
    """A state that lasts until a moment of the loop's clock."""

    kind: Kind
    phone: str | None = None
    until: float = inf
    seconds: float = 0
    dc_id: int | None = None

    @classmethod
    def make(
        cls,
        kind: Kind,
        phone: str | None,
        seconds: float | None,
        now: float,
        dc_id: int | None = None,
    ) -> Condition:
        """Make a condition from a control call; the seconds of SLOW are its delay."""
        phone = None if phone is None else bare_phone(phone)
        if kind is Kind.SLOW:
            delay = DEFAULT_DELAY if seconds is None else seconds
            return cls(kind, phone, seconds=delay, dc_id=dc_id)
        return cls(kind, phone, inf if seconds is None else now + seconds, dc_id=dc_id)

    @property
    def lasts(self) -> bool:
        """Return whether it lasts; a plain cut does not."""
        return self.kind not in _ACTS or (self.kind is Kind.CUT and self.until < inf)

    def holds(self, kind: Kind, phone: str | None, now: float, dc_id: int | None = None) -> bool:
        is_here = self.dc_id in (None, dc_id)
        return self.kind is kind and now < self.until and is_here and _names(self.phone, phone)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._method_faults: list[tuple[MethodFault, float]] = []
        self._conditions: list[Condition] = []

    def fail(self, fault: MethodFault, times: int | None = None) -> None:
        """Add a fault that hits `times` calls, or every call until the faults are cleared."""
        self._method_faults.append((fault, inf if times is None else times))

    def add(self, condition: Condition) -> None:
        self._conditions.append(condition)

    def clear(self) -> None:
        self._method_faults.clear()
        self._conditions.clear()

    @property
    def is_method_failing(self) -> bool:
        """Return whether an ordered answer has not been given yet."""
        return bool(self._method_faults)

    def describe(self, now: float) -> list[dict[str, str | None]]:
        """Name what is in force now: RPC errors of methods, and states."""
        errors = [
            {"error": fault.error, "phone": fault.phone, "method": fault.method}
            for fault, _ in self._method_faults
        ]
        states: list[dict[str, str | None]] = [
            {"kind": state.kind, "phone": state.phone}
            for state in self._conditions
            if now < state.until
        ]
        return states + errors

    def next_error(self, phone: str | None, method: str) -> RpcError | None:
        """Return the error that this call must get, and count it as given."""
        fault = self._next_fault(phone, method, is_error=True)
        return RpcError(fault.error, fault.code) if fault and fault.error else None

    def is_answered_newer(self, phone: str | None, method: str) -> bool:
        """Return whether this call must be answered in a newer layer, and count it as given."""
        return self._next_fault(phone, method, is_error=False) is not None

    def _next_fault(self, phone: str | None, method: str, *, is_error: bool) -> MethodFault | None:
        for place, (fault, left) in enumerate(self._method_faults):
            if fault.hits(phone, method) and (fault.error is not None) is is_error:
                self._method_faults[place] = (fault, left - 1)
                if left <= 1:
                    del self._method_faults[place]
                return fault
        return None

    def holds(self, kind: Kind, phone: str | None, now: float, dc_id: int | None = None) -> bool:
        return any(condition.holds(kind, phone, now, dc_id) for condition in self._conditions)

    def delay(self, phone: str | None, now: float, dc_id: int | None = None) -> float:
        """Return by how many seconds answers to this account are delayed."""
        slow = (c.seconds for c in self._conditions if c.holds(Kind.SLOW, phone, now, dc_id))
        return max(slow, default=0)


def method_fault(
    error: str | None, phone: str | None = None, method: str | None = None, code: int | None = None
) -> MethodFault:
    """Make a fault from a control call, e.g. for +380.. and messages.SendMessageRequest."""
    phone = None if phone is None else bare_phone(phone)
    method = None if method is None else bare_method(method)
    return MethodFault(error, phone, method, code)


def bare_method(name: str) -> str:
    """Normalise messages.sendMessage, messages.SendMessage and SendMessageRequest to one spelling."""
    return name.lower().removesuffix("request")


def _names(wanted: str | None, phone: str | None) -> bool:
    return wanted is None or wanted == phone
