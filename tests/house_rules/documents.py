"""House rules about the documents: what they name exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

_QUOTED = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"(?:[.\w-]+/)*(?:[\w-]+\.(?:py|md|toml)|[.\w-]+/)(?=$|::)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"(?ms)^```.*?^```$")
_HEADING = re.compile(r"(?m)^#+ (.+)$")
_NAME = re.compile(r"[A-Za-z_]\w+(?:\.\w+)*")
# Folders of a running gateway, not of the repository.
_AT_RUN_TIME = frozenset({"spool/", "data/"})


def missing_places(text: str, places: Collection[str]) -> Iterator[str]:
    """Name the modules and folders between backticks that are not in the tree."""
    for quoted in _QUOTED.findall(text):
        found = _PLACE.match(quoted)
        if found is None or found[0] in _AT_RUN_TIME:
            continue
        if not any(place == found[0] or place.endswith(f"/{found[0]}") for place in places):
            yield found[0]


def missing_names(text: str, source: str) -> Iterator[str]:
    """Name the identifiers between backticks that are nowhere in the source, whatever their case."""
    lower = source.lower()
    for quoted in _QUOTED.findall(text):
        if _NAME.fullmatch(quoted) and not _PLACE.match(quoted):
            yield from (part for part in quoted.split(".") if part.lower() not in lower)


def anchors_of(text: str) -> frozenset[str]:
    """Give the anchors that GitHub makes of the headings."""
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    )


def broken_links(document: Path, anchors: Mapping[Path, frozenset[str]]) -> Iterator[str]:
    """Name the links to files that are not there and to headings that nobody has."""
    for link in _LINK.findall(document.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document.resolve()
        if not target.exists() or (anchor and anchor not in anchors.get(target, ())):
            yield link


def outline(text: str) -> tuple[list[int], list[str], list[int]]:
    """Give what a translation has in common: levels of headings, blocks of code, rows of tables."""
    prose = _BLOCK.sub("", text)
    rows = re.findall(r"(?m)(?:^\|.*\n)+", prose)
    return (
        [len(marks) for marks in re.findall(r"(?m)^(#+) ", prose)],
        _BLOCK.findall(text),
        [table.count("\n") for table in rows],
    )


def quoted(text: str) -> frozenset[str]:
    """Give the settings, fields, calls and states that a text quotes, without what may be translated."""
    found = _QUOTED.findall(_BLOCK.sub("", text))
    return frozenset(each for each in found if each.isascii() and "<" not in each)
