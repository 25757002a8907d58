"""Packages that only the alternatives need, in a virtual environment of their own.

One of them has a top-level package that is called `supervisor`, as ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PLACE = Path(__file__).parents[2] / ".venv" / "alternatives"
READY = PLACE / "ready"


async def programs() -> Path:
    """Return the folder of the programs; make the environment the first time and after a change."""
    return await asyncio.to_thread(_make)


def _make() -> Path:
    found = PLACE / "bin"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if READY.exists() and READY.read_text() == digest:
        return found
    print(f"Installing the packages of {REQUIREMENTS.name} into {PLACE}.", flush=True)
    subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
    install = ("-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", REQUIREMENTS)
    subprocess.run([found / "python", *install], check=True)
    READY.write_text(digest)
    return found
