"""Holds back echoes until it is known whether they are our own messages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from supervisor.journal.values import Waiting


class EchoFilter:
    """Lets messages from Telegram pass, in the order of each chat.

    While it is unknown whether Telegram accepted an outgoing message, an echo in the same chat may
    be that message. The echo waits, and so do all later messages of the chat. Outcomes arrive in
    the order of rows, so it is enough to track the newest open row of a chat.
    """

    def __init__(self, let_pass: Callable[[Waiting], None]) -> None:
        self._let_pass = let_pass
        self._doubts: dict[int, int] = {}
        self._chats: dict[int, int] = {}
        self._held: dict[int, deque[Waiting]] = {}

    def start(self, doubts: Mapping[int, int]) -> None:
        """Start again with the newest outgoing row of each chat whose outcome is unknown."""
        self._doubts = dict(doubts)
        self._chats = {row: peer_id for peer_id, row in doubts.items()}
        self._held = {}

    def add(self, waiting: Waiting) -> bool:
        """Pass or hold the message; return whether it passed."""
        peer_id = waiting.peer_id
        may_pass = peer_id not in self._held and not (waiting.is_echo and peer_id in self._doubts)
        if may_pass:
            self._let_pass(waiting)
        else:
            self._held.setdefault(peer_id, deque()).append(waiting)
        return may_pass

    def mark_open(self, peer_id: int, row: int) -> None:
        """Note that the worker is sending an outgoing row."""
        known = self._doubts.get(peer_id, row)
        if known > row:
            return
        self._chats.pop(known, None)
        self._doubts[peer_id] = row
        self._chats[row] = peer_id

    def mark_known(self, row: int) -> None:
        """Note that the outcome of an outgoing row is known."""
        peer_id = self._chats.get(row)
        if peer_id is not None:
            self.release_chat(peer_id)

    def release_chat(self, peer_id: int) -> None:
        """Note that no row of the chat is open."""
        self._chats.pop(self._doubts.pop(peer_id, 0), None)
        for waiting in self._held.pop(peer_id, ()):
            self._let_pass(waiting)

    def drop(self, rows: Collection[int]) -> None:
        """Forget echoes that turned out to be our own messages."""
        if rows:
            for peer_id, held in self._held.items():
                self._held[peer_id] = deque(each for each in held if each.row not in rows)
