"""What becomes of equal pages of the workers: the setting, what the kernel can, what its daemon does."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path

from session_worker.process.page_merging import kernel_can_merge

KSMD = Path("/sys/kernel/mm/ksm/run")
RUNS = "1"

logger = logging.getLogger(__name__)


class PageMerging(StrEnum):
    """Whether the kernel merges equal pages of the workers, if not why."""

    OFF = "off"
    UNAVAILABLE = "unavailable"
    IDLE = "idle"
    ON = "on"


_TOLD = {
    PageMerging.OFF: "equal pages of workers are not merged: MEMORY_MERGE=off",
    PageMerging.UNAVAILABLE: "equal pages of workers are not merged: the kernel can not (Linux 6.4)",
    PageMerging.IDLE: "equal pages of workers are not merged: %s is not 1, see docs/operating.md",
    PageMerging.ON: "equal pages of workers are merged by the kernel",
}


def page_merging(*, wanted: bool, can: bool, daemon: str) -> PageMerging:
    """Judge by the setting, the kernel, the content of ksmd's switch."""
    if not wanted:
        return PageMerging.OFF
    if not can:
        return PageMerging.UNAVAILABLE
    return PageMerging.ON if daemon.strip() == RUNS else PageMerging.IDLE


def look_at_merging(*, wanted: bool) -> PageMerging:
    """Read what the kernel says now: ksmd's switch is the operator's."""
    try:
        daemon = KSMD.read_text()
    except OSError:
        return page_merging(wanted=wanted, can=False, daemon="")
    return page_merging(wanted=wanted, can=kernel_can_merge(), daemon=daemon)


def tell_merging(*, wanted: bool) -> None:
    """Say what becomes of equal pages."""
    found = look_at_merging(wanted=wanted)
    logger.info(_TOLD[found].replace("%s", str(KSMD)))
