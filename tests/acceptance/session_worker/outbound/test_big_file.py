"""What a big file costs."""

from __future__ import annotations

import ctypes
import gc
import re
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.outbound.attachments import Limits
from tests.fakes.file_server import Answer
from tests.fakes.media import noise

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.session_worker.outbound.mail import Mail
    from tests.fakes.file_server import FileServer

SELF = Path("/proc/self")
ALLOWED = 16 << 20  # bytes
SIZE = 100 << 20


def forget_peak() -> int:
    """Begin to measure anew; tells what is in use now."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    (SELF / "clear_refs").write_text("5")
    return read("VmRSS")


def read(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", (SELF / "status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def test_big_file_costs_little_memory(mail: Mail, files: FileServer, taras: Account) -> None:
    """100 MB go through in pieces: even both ends of it together stay below what one may take."""
    link = files.offer("big.bin", Answer(noise(1 << 20), repeat=100))
    mail.outbound = mail.make_outbound(Limits(size=SIZE))
    await mail.send(taras, small_bin=noise(600_000))
    before = forget_peak()
    order = mail.begin(taras, big_bin=link)

    await mail.until_done(order)

    added = read("VmHWM") - before
    assert mail.box(taras.id)[-1].media.file.size == SIZE
    assert added < ALLOWED
