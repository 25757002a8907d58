"""Whether the kernel merges equal pages of the workers, and if not, why."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path

from session_worker.process.page_merging import kernel_can_merge

KSMD = Path("/sys/kernel/mm/ksm/run")
RUNS = "1"

logger = logging.getLogger(__name__)


class PageMerging(StrEnum):
    """Whether equal pages are merged, or what prevents it."""

    OFF = "off"
    UNAVAILABLE = "unavailable"
    IDLE = "idle"
    ON = "on"


_TEXTS = {
    PageMerging.OFF: "equal pages of workers are not merged: MEMORY_MERGE=off",
    PageMerging.UNAVAILABLE: "equal pages of workers are not merged: the kernel cannot do it (Linux 6.4 can)",
    PageMerging.IDLE: f"equal pages of workers are not merged: {KSMD} is not 1, see docs/operating.md",
    PageMerging.ON: "equal pages of workers are merged by the kernel",
}


def page_merging(*, wanted: bool, can: bool, daemon: str) -> PageMerging:
    """Decide by the setting, the ability of the kernel and the content of ksmd's switch."""
    if not wanted:
        return PageMerging.OFF
    if not can:
        return PageMerging.UNAVAILABLE
    return PageMerging.ON if daemon.strip() == RUNS else PageMerging.IDLE


def look_at_merging(*, wanted: bool) -> PageMerging:
    """Read the state from the kernel now, because the operator may have changed ksmd's switch."""
    try:
        daemon = KSMD.read_text()
    except OSError:
        return page_merging(wanted=wanted, can=False, daemon="")
    return page_merging(wanted=wanted, can=kernel_can_merge(), daemon=daemon)


def log_merging(*, wanted: bool) -> None:
    """Log whether equal pages are merged."""
    logger.info("%s", _TEXTS[look_at_merging(wanted=wanted)])
