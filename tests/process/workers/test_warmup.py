"""What the forkserver is like once it has played a worker's first moments."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]
LOOK = """
import gc, json, os, signal, threading
before = len(os.listdir("/proc/self/fd"))
import session_worker.process.preload
print(json.dumps({
    "ignored": [signal.getsignal(each) is signal.SIG_IGN for each in (signal.SIGINT, signal.SIGTERM)],
    "threads": threading.active_count(),
    "left open": len(os.listdir("/proc/self/fd")) - before,
    "frozen": gc.get_freeze_count() > 10_000,
}))
"""


async def test_warmup_leaves_nothing_but_warmth() -> None:
    """It succeeds; no thread, descriptor or signal handler of it is inherited by any worker."""
    said = await run(LOOK)

    assert json.loads(said) == {
        "ignored": [True, True],
        "threads": 1,
        "left open": 0,
        "frozen": True,
    }


CODE = """
import session_worker.process.preload
from session_worker.process.trial import code_of_start
import time
found = code_of_start(time.monotonic() + 120.0)
print(len(found), len({each // 4096 for each in found}))
"""


async def test_code_of_a_start_lies_side_by_side() -> None:
    """What a worker runs until it is online is on few pages, each of which it copies by running it."""
    codes, pages = map(int, (await run(CODE)).split())

    assert codes > 500
    assert 2.5 * pages < codes


RESTING_CODE = CODE.replace("code_of_start", "code_of_rest")


async def test_code_of_a_resting_worker_lies_side_by_side() -> None:
    """What it runs again and again is on the fewest pages, because those are never merged."""
    codes, pages = map(int, (await run(RESTING_CODE)).split())

    assert codes > 100
    assert 3 * pages < codes


FOREIGN_NAME = """
import sys
import session_worker.process.preload
import httpx
sys.meta_path.clear()
print(httpx.URL("https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/a").raw_host.decode())
print("\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444".encode("idna").decode())
"""


async def test_names_in_other_letters_need_no_import() -> None:
    """A confined worker may read no module any more; a link to a Cyrillic host works all the same."""
    said = await run(FOREIGN_NAME)

    assert said.split() == [b"xn--e1afmkfd.xn--p1ai"] * 2


async def run(program: str) -> bytes:
    """Return what a program prints, which must be free of complaints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=TOP,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await process.communicate()
    assert complaints == b""
    return said
