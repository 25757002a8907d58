"""A batch of worker events, grouped by what the journal has to write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from session_worker.protocol.chats import ChatsListed, LeftOut
from session_worker.protocol.messages import (
    ChatMemory,
    ChatRemembered,
    Delivered,
    Drained,
    Failed,
    Failure,
    FailureCode,
    GapFilled,
    PartSent,
    ReadByContact,
    Received,
    Resolved,
    StatusTold,
    Trying,
)
from supervisor.database.tables import RowState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_worker.protocol.messages import MessageEvent

RowEvent = Trying | Delivered | Failed | PartSent | StatusTold


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """How often a row was tried, and the result of the last attempt if it has ended."""

    tries: int = 0
    state: RowState | None = None
    failure: Failure | None = None
    is_uncertain: bool = False

    def then(self, event: Trying | Delivered | Failed) -> RowOutcome:
        match event:
            case Trying():
                return RowOutcome(tries=self.tries + 1, is_uncertain=self.is_uncertain)
            case Delivered():
                return replace(self, state=RowState.DELIVERED, failure=None)
            case Failed(failure=failure, was_untold=was_untold):
                state = RowState.DEAD if failure.next_try is None else RowState.PENDING
                lost = self.is_uncertain or failure.code == FailureCode.ANSWER_LOST
                return replace(
                    self,
                    tries=self.tries + was_untold,
                    state=state,
                    failure=failure,
                    is_uncertain=lost,
                )


@dataclass(slots=True)
class WorkerReport:
    """The events of a batch, by what has to be written for them."""

    received: list[Received] = field(default_factory=list)
    chats: dict[int, ChatMemory] = field(default_factory=dict)
    outcomes: dict[int, RowOutcome] = field(default_factory=dict)
    parts: list[PartSent] = field(default_factory=list)
    reads: dict[int, int] = field(default_factory=dict)
    told: list[StatusTold] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    gap: GapFilled | None = None
    positions: list[int] = field(default_factory=list)

    @property
    def concerns_rows(self) -> bool:
        """Whether something has happened to rows that are stored already."""
        return any((self.outcomes, self.parts, self.reads, self.told, self.left_out))

    def add(self, event: MessageEvent) -> None:
        match event:
            case Received():
                if event.is_for_planfix:
                    self.received.append(event)
                self.positions.extend(event.positions)
            case ReadByContact():
                newest = max(event.up_to, self.reads.get(event.peer_id, 0))
                self.reads[event.peer_id] = newest
                self.positions.extend(event.positions)
            case ChatRemembered():
                self.chats[event.chat.peer_id] = event.chat
            case GapFilled():
                self.gap = event
            case LeftOut(row=row):
                self.left_out.append(row)
            case Resolved() | ChatsListed() | Drained():
                pass  # an answer; nothing is stored
            case _:
                self._add_outcome(event)

    def _add_outcome(self, event: RowEvent) -> None:
        match event:
            case Trying() | Delivered() | Failed():
                self.outcomes[event.row] = self.outcomes.get(event.row, RowOutcome()).then(event)
            case PartSent():
                self.parts.append(event)
            case StatusTold():
                self.told.append(event)


def report_of(events: Iterable[MessageEvent]) -> WorkerReport:
    report = WorkerReport()
    for event in events:
        report.add(event)
    return report


def split_after_gaps(events: Iterable[MessageEvent]) -> Iterator[list[MessageEvent]]:
    """Split the events after each gap, because only events before it may belong to it."""
    piece: list[MessageEvent] = []
    for event in events:
        piece.append(event)
        if isinstance(event, GapFilled):
            yield piece
            piece = []
    if piece:
        yield piece
