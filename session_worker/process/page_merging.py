"""Whether the kernel may merge equal pages of this process and of those that it forks."""

from __future__ import annotations

import logging

from session_worker.confinement.kernel import PR_GET_MEMORY_MERGE, PR_SET_MEMORY_MERGE, prctl

logger = logging.getLogger(__name__)


def kernel_can_merge() -> bool:
    """Whether the kernel can merge pages of whole processes: Linux 6.4 and newer, unless forbidden."""
    try:
        prctl(PR_GET_MEMORY_MERGE)
    except OSError:
        return False
    return True


def let_pages_be_merged(*, wanted: bool) -> None:
    """Offer all pages of this process to the kernel for merging, or withdraw them."""
    try:
        prctl(PR_SET_MEMORY_MERGE, int(wanted))
    except OSError as exc:
        logger.debug("the kernel does not merge pages: %s", exc)
