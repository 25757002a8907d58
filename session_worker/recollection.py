"""What was lately written in the chats, for those who refer to it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MOST_KEPT = 500  # messages
LONGEST_SNIPPET = 200  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """One message, shortened."""

    peer_id: int
    is_out: bool
    snippet: str
    file: int | None = None


class Recollection:
    """The newest messages of all chats, by their ids."""

    def __init__(self) -> None:
        self._lines: OrderedDict[int, Line] = OrderedDict()

    def remember(self, message_id: int, line: Line) -> None:
        self._lines[message_id] = line
        self._lines.move_to_end(message_id)
        if len(self._lines) > MOST_KEPT:
            self._lines.popitem(last=False)

    def find(self, message_id: int) -> Line | None:
        return self._lines.get(message_id)


def snippet(text: str) -> str:
    """Shorten a text to what recalls it."""
    text = text.strip()
    return text if len(text) <= LONGEST_SNIPPET else f"{text[:LONGEST_SNIPPET].rstrip()}…"
