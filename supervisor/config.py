"""What the gateway is told by its operator, apart from the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from session_worker.contract import Assignment

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TelegramDataCentre:
    """A data centre other than Telegram's own."""

    host: str
    port: int
    public_key: str


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
    login_patience: float = 600.0
    """Seconds without a step after which a login is given up."""
    qr_patience: float = 120.0
    """The same for a QR code that nobody looks at."""
    link_lifetime: float = 3600.0
    """Seconds that a login link counts."""
    session_factory: str = Assignment.model_fields["session_factory"].default

    def spool_of(self, number: str) -> Path:
        return self.data_dir / "spool" / number
