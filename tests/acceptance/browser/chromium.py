"""Finds a Chromium: an installed one, else Playwright's own, else Debian's, else a clear failure."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserType

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
DOWNLOAD = 120  # seconds Playwright may take
INSTALL = 600  # seconds apt may take
SAID = 2000  # characters of a program's last words


def find_chromium(playwright: BrowserType) -> str:
    """Return the program; several test processes that need one install it once."""
    with (Path(tempfile.gettempdir()) / "telefix-browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said: list[str] = []
        for get in (None, _download, _install_by_apt):
            said += [get()] if get else []
            if found := _installed() or _own(playwright):
                return found
    pytest.fail("No browser is to be had:\n" + "\n".join(said))


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _own(playwright: BrowserType) -> str | None:
    path = playwright.executable_path
    return path if Path(path).is_file() else None


def _download() -> str:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return "playwright install: " + _run(command, DOWNLOAD)


def _install_by_apt() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "apt-get: only root of a Debian may install one"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    updated = _run(["apt-get", "update", "-q"], INSTALL, quiet)
    packages = ["chromium", "fonts-noto-core"]
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    return f"apt-get: {updated}\n{_run(command, INSTALL, quiet)}"


def _run(command: list[str], seconds: float, environment: dict[str, str] | None = None) -> str:
    try:
        ran = subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return f"not done within {seconds:g} s"
    return ran.stdout[-SAID:]
