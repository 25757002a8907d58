"""Whether the pages of what the forkserver forks may be merged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from session_worker.process.page_merging import kernel_can_merge

TOP = Path(__file__).parents[3]


@pytest.mark.parametrize("merging", [True, False])
async def test_setting_reaches_the_workers(merging: bool) -> None:
    """A worker's pages are offered to the kernel as the setting says, wherever the kernel takes them."""
    expected = f"{int(merging)}\n" if kernel_can_merge() else "unknown\n"

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.process.workers.merging_program", str(int(merging))),
        cwd=TOP,
        stdout=asyncio.subprocess.PIPE,
    )

    said, _ = await process.communicate()

    assert said == expected.encode()
