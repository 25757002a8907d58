"""Finds a secret in any form in which it may be stored."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHORTEST = 8  # bytes; less is found by chance in anything


def forms_of(secret: bytes) -> set[bytes]:
    """Return a secret as it is, hexadecimal, percent-encoded, escaped, in base64 at every offset."""
    assert len(secret) >= SHORTEST
    forms = {secret, secret.hex().encode(), secret.hex().upper().encode(), *_in_base64(secret)}
    return forms | {repr(secret)[2:-1].encode(), *(form.encode() for form in _as_text(secret))}


def _as_text(secret: bytes) -> Iterator[str]:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    yield quote(text, safe="")
    yield quote(text, safe="").lower()
    yield json.dumps(text)[1:-1]
    yield text.encode("unicode_escape").decode()


def _in_base64(secret: bytes) -> Iterator[bytes]:
    for offset in range(3):
        encoded = b64encode(bytes(offset) + secret)
        # At both ends a character holds bits of the neighbours, too.
        first = -(-offset * 8 // 6)
        inside = encoded[first : (offset + len(secret)) * 8 // 6]
        yield inside
        yield inside.translate(bytes.maketrans(b"+/", b"-_"))


def find_secrets(
    secrets: Mapping[str, bytes], places: Iterable[tuple[str, bytes]]
) -> list[tuple[str, str]]:
    """Name each secret that is found, with the place."""
    forms = {name: forms_of(secret) for name, secret in secrets.items()}
    return [
        (name, place)
        for place, content in places
        for name, wanted in forms.items()
        if any(form in content for form in wanted)
    ]


def find_code(code: str, places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Name the places that call five digits a code; other five digits may be a port, a process."""
    called = re.compile(rb"(?i)code\W{0,6}" + code.encode() + rb"(?!\w)")
    return [place for place, content in places if called.search(content)]


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        yield f"the name of {path}", path.name.encode()
        if path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):  # its program may have just erased it
                yield str(path), path.read_bytes()


def about_process(pid: int) -> Iterator[tuple[str, bytes]]:
    """Show what every user of the machine may read of a process, then its environment."""

    for name in ("cmdline", "comm", "environ"):
        yield f"/proc/{pid}/{name}", Path(f"/proc/{pid}/{name}").read_bytes()
