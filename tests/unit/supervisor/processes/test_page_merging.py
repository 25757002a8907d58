"""What is told about equal pages of the workers."""

from __future__ import annotations

import pytest

from supervisor.processes.page_merging import PageMerging, page_merging


@pytest.mark.parametrize(
    ("wanted", "can", "daemon", "told"),
    [
        (False, True, "1\n", PageMerging.OFF),
        (True, False, "1\n", PageMerging.UNAVAILABLE),
        (True, True, "0\n", PageMerging.IDLE),
        (True, True, "2\n", PageMerging.IDLE),
        (True, True, "1\n", PageMerging.ON),
    ],
)
def test_setting_kernel_and_daemon_must_agree(
    wanted: bool, can: bool, daemon: str, told: PageMerging
) -> None:
    """Pages are merged only where they are offered, the kernel can, and its daemon runs."""
    assert page_merging(wanted=wanted, can=can, daemon=daemon) is told
