"""The budgets of a number, as pure decisions over what it has used."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

DAY: Final = 24 * 3600.0  # seconds
REMEMBERED: Final = 2 * DAY
"""Seconds after which a use does not count any more."""
BUDGET_SPENT: Final = "first_contact_budget"
ANSWERS_ONLY: Final = "answers_only"
FIRST_PAUSE: Final = 3600.0  # seconds; Telegram does not say how long its suspicion lasts
LONGEST_PAUSE: Final = DAY
GROWTH_OF_PAUSE: Final = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client may set; the defaults suit an account that Telegram has known for a while."""

    enabled: bool = True
    first_contacts_per_day: int = 80
    growth_per_day: int = 10
    first_contacts_at_most: int = 300
    burst: int = 50
    variance: float = 0.4
    look_ups_per_day: int = 300

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """Read what was stored, and ignore what another version has added."""
        stored = json.loads(text or "{}")
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    def changed(self, changes: Mapping[str, Any]) -> Self:
        return replace(self, **changes)

    def per_day(self, age: float) -> int:
        """Return how many strangers a number may write to in a day, at an age of so many seconds."""
        grown = self.first_contacts_per_day + int(self.growth_per_day * max(0.0, age) / DAY)
        return min(grown, max(self.first_contacts_at_most, self.first_contacts_per_day))

    def cost(self, peer_id: int) -> float:
        """Return what this first contact costs: 1 on average, and the same again after a restart."""
        chance = crc32(str(peer_id).encode()) / 2**32
        return 1.0 + self.variance * (2.0 * chance - 1.0)


class Grant(NamedTuple):
    """When somebody was allowed to be written to for the first time."""

    at: float
    peer_id: int


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Telegram suspects the number of sending spam, so until this moment it only answers."""

    cause: str
    until: float
    times: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What a number has used, and the strangers whose messages wait, oldest first."""

    began: float
    grants: tuple[Grant, ...] = ()
    held: tuple[int, ...] = ()
    look_ups: tuple[float, ...] = ()
    suspicion: Suspicion | None = None

    def is_suspected(self, now: float) -> bool:
        return self.suspicion is not None and now < self.suspicion.until

    def with_grants(self, peers: Iterable[int], now: float) -> Self:
        new = set(peers)
        kept = [each for each in self.grants if each.at > now - REMEMBERED]
        return replace(
            self,
            grants=(*kept, *(Grant(now, peer) for peer in self.held if peer in new)),
            held=tuple(peer for peer in self.held if peer not in new),
        )

    def with_held(self, peer_id: int) -> Self:
        return self if peer_id in self.held else replace(self, held=(*self.held, peer_id))

    def without_held(self, peers: Iterable[int]) -> Self:
        gone = set(peers)
        return replace(self, held=tuple(peer for peer in self.held if peer not in gone))

    def with_look_up(self, now: float) -> Self:
        kept = [at for at in self.look_ups if at > now - DAY]
        return replace(self, look_ups=(*kept, now))


def expected_grants(
    settings: Settings, usage: Usage, peers: Iterable[int], now: float
) -> list[float]:
    """Return when each of these may be written to, one after the other; up to `now` means at once."""
    if not settings.enabled:
        return [now for _ in peers]
    pace = _Pace(settings, usage, now)
    return [pace.grant(peer) for peer in peers]


def next_look_up(settings: Settings, usage: Usage, now: float) -> float:
    """Return when the next phone may be looked up; up to `now` means at once."""
    most = settings.look_ups_per_day
    recent = [at for at in usage.look_ups if at > now - DAY]
    if not settings.enabled or len(recent) < most:
        return now
    return recent[-most] + DAY


def suspicion_after(before: Suspicion | None, cause: str, now: float) -> Suspicion:
    """Return the suspicion that holds now; each lasts longer, unless a day has passed without one."""
    if before is not None and now < before.until:
        return before  # the same suspicion, reported for another message
    times = before.times + 1 if before is not None and now < before.until + DAY else 1
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH_OF_PAUSE ** (times - 1))
    return Suspicion(cause, now + pause, times)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is left of the budgets of a number, as it is shown."""

    settings: Settings
    per_day: int
    used: int
    left: int
    waiting: int
    next_at: float | None
    look_ups_used: int
    look_ups_left: int
    suspicion: Suspicion | None


def outlook(settings: Settings, usage: Usage, now: float) -> Outlook:
    per_day = settings.per_day(now - usage.began)
    used = sum(each.at > now - DAY for each in usage.grants)
    looked_up = sum(at > now - DAY for at in usage.look_ups)
    suspected = usage.is_suspected(now)
    return Outlook(
        settings=settings,
        per_day=per_day,
        used=used,
        left=0 if suspected else max(0, per_day - used),
        waiting=len(usage.held),
        next_at=_next_at(settings, usage, now),
        look_ups_used=looked_up,
        look_ups_left=max(0, settings.look_ups_per_day - looked_up),
        suspicion=usage.suspicion if suspected else None,
    )


def _next_at(settings: Settings, usage: Usage, now: float) -> float | None:
    """Return when the next stranger may be written to, unless that is now."""
    stranger = usage.held[0] if usage.held else 0
    [moment] = expected_grants(settings, usage, [stranger], now)
    return moment if moment > now else None


class _Pace:
    """Replays the grants: a bucket that fills evenly over the day, and a limit for each day."""

    def __init__(self, settings: Settings, usage: Usage, now: float) -> None:
        self._settings = settings
        self._per_day = settings.per_day(now - usage.began)
        self._most = max(float(settings.burst), 1.0 + settings.variance)
        self._level, self._at = self._most, usage.began
        self._grants: list[float] = []
        self._now = now
        ends = usage.suspicion.until if usage.suspicion is not None else None
        for at, peer_id in sorted(usage.grants):
            if ends is not None and ends <= at:
                self._empty(ends)
                ends = None
            self._spend(at, peer_id)
        if ends is not None:
            self._empty(ends)

    def grant(self, peer_id: int) -> float:
        lacking = max(0.0, self._settings.cost(peer_id) - self._level)
        earliest = max(self._now, self._at + lacking / self._rate)
        if len(self._grants) >= self._per_day:
            earliest = max(earliest, self._grants[-self._per_day] + DAY)
        self._now = earliest
        self._spend(earliest, peer_id)
        return earliest

    @property
    def _rate(self) -> float:
        return self._per_day / DAY

    def _spend(self, at: float, peer_id: int) -> None:
        self._fill(at)
        self._level -= self._settings.cost(peer_id)
        self._grants.append(at)

    def _empty(self, at: float) -> None:
        """Begin slowly after a suspicion, not with everything that has waited."""
        self._fill(at)
        self._level = min(self._level, 1.0)
        self._now = max(self._now, at)

    def _fill(self, at: float) -> None:
        # A clock that was set back must not take anything away.
        self._level = min(self._most, self._level + max(0.0, at - self._at) * self._rate)
        self._at = max(self._at, at)
