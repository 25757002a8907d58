"""Folders of the gateway, and opening files inside a folder."""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

MODE = 0o700
_OTHERS = 0o077

logger = logging.getLogger(__name__)


def make_private_folder(path: Path) -> None:
    """Make the folder if it does not exist, whatever the umask is."""
    if not path.is_dir():
        path.mkdir(mode=MODE, parents=True, exist_ok=True)
        path.chmod(MODE)


def read_file_url(url: object) -> object:
    """Return the folder that a file URL names; raise ValueError if there is none."""
    if not isinstance(url, str):
        return url
    place = urlsplit(url)
    folder = Path(url2pathname(place.path))
    if place.scheme != "file" or place.netloc or not folder.is_dir():
        raise ValueError("must name an existing folder, such as file:///srv/telefix-files")
    return folder


def warn_if_open(path: Path, setting: str) -> None:
    """Warn the operator if an existing folder is open to other users."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS & ~MODE:
        logger.warning("%s is open to other users (%o): chmod %o %s", setting, mode, MODE, path)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutsideRoot(Exception):
    """The name leads out of the folder, or through a link."""


def open_inside(root: Path, name: str) -> int:
    """Return a descriptor; raise OSError as usual, OutsideRoot if the name leads outside.

    Each step is opened below the previous one without following links, so a rename that happens
    meanwhile cannot lead outside. openat2 does no more, and older kernels do not have it.
    """
    *folders, file = _parts(root, name)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            above, folder = folder, _open_below(folder, part, _FOLDER)
            os.close(above)
        return _open_below(folder, file, _FILE)
    finally:
        os.close(folder)


def _parts(root: Path, name: str) -> tuple[str, ...]:
    """Resolve `..` in the name alone, which is exact because no step may be a link."""
    if "\0" in name or not _is_encodable(name):
        raise OutsideRoot(ascii(name))
    for top in (root.absolute(), root.resolve()):
        place = Path(os.path.normpath(top / name))
        if place.is_relative_to(top):
            return place.relative_to(top).parts or (".",)
    raise OutsideRoot(name)


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def _open_below(folder: int, part: str, flags: int) -> int:
    try:
        return os.open(part, flags, dir_fd=folder)
    except OSError as exc:
        if exc.errno == errno.ELOOP or _is_link(folder, part):
            raise OutsideRoot(part) from exc
        raise


def _is_link(folder: int, part: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False
