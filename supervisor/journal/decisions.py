"""Decides what happens to a message, without a database and without a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from session_worker.failures import Reason, failure_entry
from session_worker.protocol.messages import IncomingKind, PlanfixStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence, Set

    from session_worker.protocol.messages import Failure, Incoming, IncomingFile
    from supervisor.journal.values import GapTrace

_DELETION = -1
_SAID = 2**20


class Mark(NamedTuple):
    """A Telegram message or, if `change` is not 0, its edit or its deletion."""

    message_id: int
    change: int = 0


def marks_of(incoming: Incoming) -> list[Mark]:
    change = _change_of(incoming)
    return [Mark(message_id, change) for message_id in incoming.message_ids]


def row_key(incoming: Incoming) -> str:
    """Return a key that is the same whenever the same message comes in again."""
    first = marks_of(incoming)[0]
    return f"{incoming.peer_id}.{first.message_id}.{first.change}"


def without_known(incoming: Incoming, known: Set[Mark]) -> Incoming | None:
    """Return what is not stored yet: the first half of a divided album may already be stored."""
    new = tuple(mark.message_id for mark in marks_of(incoming) if mark not in known)
    if not new:
        return None
    files = tuple(file for file in incoming.files if _is_left(file, incoming, new))
    return incoming.model_copy(update={"message_ids": new, "files": files})


def next_status(due: PlanfixStatus, told: PlanfixStatus | None) -> PlanfixStatus:
    """Return `sent` first if `read` is due and Planfix does not know yet that it was sent."""
    if due is PlanfixStatus.READ and told is not PlanfixStatus.SENT:
        return PlanfixStatus.SENT
    return due


def may_have_been_sent(failure: Failure) -> bool:
    """Whether Telegram may have accepted the message although the attempt failed."""
    is_open = failure_entry(failure.code).reason is Reason.OFFLINE
    return is_open and failure.next_try is not None


def next_try_here(next_try: float | None, tried: float | None, now: float) -> float:
    """Return when a message is due by our clock, whichever machine has tried it before.

    That machine's clock may be an hour wrong. Its pause is not, because it set both moments.
    """
    if next_try is None or tried is None:
        return next_try or 0.0
    return min(next_try, now + max(0.0, next_try - tried))


def chat_id(number: str, peer_id: int) -> str:
    return f"{number}_{peer_id}"


def peer_of(number: str, chat: str) -> int | None:
    """Return the peer of the chat, or None if it is not a chat of this number."""
    owner, _, peer = chat.strip().partition("_")
    if owner != number or not (peer.isascii() and peer.isdigit()) or len(peer) > 18:
        return None
    return int(peer)


def traces_of_gap(found: int, traces: Sequence[GapTrace]) -> list[GapTrace]:
    """Return the newest traces that together contain as many messages as were found."""
    of_gap: list[GapTrace] = []
    for each in reversed(traces):
        if found <= 0:
            break
        found -= each.size
        of_gap.append(each)
    return of_gap


def found_of_others(found: int, of_gap: Sequence[GapTrace], stored: Collection[int]) -> int:
    """Return how many messages we did not send ourselves.

    A message is ours if that was known at once, or if its row was deleted as an echo.
    """
    ours = sum(
        each.size if each.row is not None and each.row not in stored else each.ours
        for each in of_gap
    )
    return max(0, found - ours)


def _change_of(incoming: Incoming) -> int:
    match incoming.what:
        case IncomingKind.MESSAGE:
            return 0
        case IncomingKind.EDIT:
            return incoming.edit_date or incoming.date
        case IncomingKind.DELETION:
            return _DELETION
        case IncomingKind.REACTION:
            # A reaction may be put and taken back within a second.
            said = crc32(f"{incoming.is_echo} {incoming.text}".encode()) % _SAID
            return -(incoming.date * _SAID + said)


def _is_left(file: IncomingFile, incoming: Incoming, new: tuple[int, ...]) -> bool:
    return file.message_id in new or file.message_id not in incoming.message_ids
