"""Folders that only the gateway's own user may read."""

from __future__ import annotations

import logging
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODE = 0o700
_OTHERS = 0o077

logger = logging.getLogger(__name__)


def make_private_folder(path: Path) -> None:
    """Make the folder if it does not exist, whatever the umask is."""
    if not path.is_dir():
        path.mkdir(mode=MODE, parents=True, exist_ok=True)
        path.chmod(MODE)


def warn_if_open(path: Path, setting: str) -> None:
    """Warn the operator if an existing folder is open to other users."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS & ~MODE:
        logger.warning("%s is open to other users (%o): chmod %o %s", setting, mode, MODE, path)
