"""A folder of an account's chats, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """The chats that a folder names, by their peer numbers, and the kinds that it takes in or hides."""

    id: int
    title: str
    pinned: tuple[int, ...] = ()
    included: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    kinds: frozenset[str] = frozenset()
    hiding: frozenset[str] = frozenset()
    emoticon: str | None = None
