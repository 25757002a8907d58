"""The three trips that docs/architecture.md lists file by file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = {
    "A message from Planfix": 40,
    "A message from Telegram": 44,
    "From POST /webhook until the number is online": 58,
}
"""How many files a reader may have to enter; lower a figure when a trip is shorter."""


def trips_of(text: str) -> dict[str, list[str]]:
    """Read the block with the trips: below each title the files, after their package."""
    [block] = re.findall(r"### The trips, file by file.*?```text\n(.*?)```", text, re.DOTALL)
    return {
        title: [
            f"{package}/{name}.py" for package, *names in map(str.split, lines) for name in names
        ]
        for title, *lines in map(str.splitlines, block.strip().split("\n\n"))
    }


def trips_are_short(text: str, top: Path) -> Iterator[str]:
    """Name each file once, keep to files that exist, and let no trip get longer."""
    for title, files in trips_of(text).items():
        yield from (f"{title}: {each} is not there" for each in files if not (top / each).exists())
        if len(files) > len(set(files)):
            yield f"{title}: a file is named twice"
        if len(files) > MOST[title]:
            yield f"{title}: {len(files)} files, at most {MOST[title]}"
