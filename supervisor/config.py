"""What the operator has set, and the timings of workers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

from session_worker.protocol.contract import Assignment

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TelegramDataCentre:
    """A data centre other than Telegram's own."""

    host: str
    port: int
    public_key: str


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """The gateway as one of several on one database; durations in seconds."""

    url: str
    ttl: float = 12.0
    """A node that has not been able to beat for this long stops its workers."""
    takeover: float = 15.0
    """The others take over its numbers when they have not seen it beat for this long."""
    files: Path | None = None
    """A folder for the files that all nodes share; without it, the files are in the database."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the gateway as the supervisor sees them."""

    data_dir: Path
    session_root: Path
    api_id: int
    api_hash: str = field(repr=False)
    data_centre: TelegramDataCentre | None = None
    language: Literal["en", "ru", "uk"] = "ru"
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"
    public_url: str = "http://127.0.0.1:8080"
    retention_days: int = 30
    allow_private_planfix: bool = False
    merge_memory: bool = True
    alert_url: str = ""
    alert_chat: int = 0
    """Whom the gateway's own bot tells of alarms; 0 for nobody."""
    login_patience: float = 600.0
    """Seconds without a step after which a login is given up."""
    qr_patience: float = 120.0
    """The same for a login whose QR code nobody is looking at."""
    node: NodeConfig | None = None
    link_lifetime: float = 3600.0
    """Seconds for which a login link is valid."""
    session_factory: str = Assignment.model_fields["session_factory"].default

    def spool_of(self, number: str) -> Path:
        return self.data_dir / "spool" / number


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a silent worker counts as hung.

    An event loop that is awake answers within milliseconds of processor time, and one that
    sleeps wakes up for a beat. Short limits are therefore enough, except on a slow disk.
    """

    ran: float = 0.3
    """Of processor time that it has used since it was asked."""
    idle: float = 0.8
    """In which it neither ran nor waited for the processor."""
    stopped: float = 0.0
    """While a signal has stopped it."""
    on_disk: float = 6.0
    """In place of `idle`, while it waits for a disk."""
    unknown: float = 6.0
    """While the kernel does not say what it does."""
    starved: float = 1.0
    """Once it has waited this long for the processor and reports nothing, a third of `ran` is enough."""

    def of_boot(self) -> Self:
        """Return the limits for a worker that is starting or logging in."""
        return replace(self, ran=10 * self.ran, idle=4 * self.idle)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a healthy worker is replaced; durations in seconds, memory in bytes."""

    memory: int = 96 << 20
    age: float = 7 * 24 * 3600.0
    variance: float = 0.25
    """The share by which chance may lower the limits, so that workers of one start do not end together."""
    shortest: float = 600.0
    """The memory of a worker younger than this does not count, so that none is replaced again and again."""
    peak: float = 30.0
    """How long a worker must be over a limit before it is replaced in a moment without work."""
    patience: float = 300.0
    """How long it must be over a limit before it is replaced in the middle of its work."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds.

    A worker that hangs is killed long before its lease ends, so the kernel's timer acts only
    when the supervisor itself is frozen.
    """

    beat: float = 0.8
    stalled_after: int = 2
    """Unanswered beats after which a worker is shown as stalled; it may be killed a beat later."""
    patience: Patience = field(default_factory=Patience)
    lease: float = 10.0
    """How long a worker may run after a beat."""
    leave: float = 5.5
    """How long a worker that is asked to end may take before it gets SIGTERM."""
    terminate: float = 1.0
    """How long it may take after SIGTERM."""
    dump: float = 0.5
    """How long it may take to write its stacks before it is killed."""
    linger: float = 10.0
    """How long a proxy may keep the connection of a worker that did not close it."""
    boot: float = 1.0
    """How long a worker that has not reported yet keeps the next one from starting."""
    lifetime: Lifetime = field(default_factory=Lifetime)
