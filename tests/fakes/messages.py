"""Messages that are kept in memory and never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.database.tables import RowState
from supervisor.errors import (
    LinkInvalid,
    MessageNotDead,
    MessageNotDismissable,
    MessageUnknown,
)
from supervisor.journal.values import MessagePath
from supervisor.messages.file_links import LinkedFiles, OpenFile
from supervisor.messages.message_service import Accepted, Chats, MessageService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.chats import ChatSelection
    from supervisor.journal.browsing import Selection
    from supervisor.journal.values import Entry, Receipt
    from supervisor.messages.message_service import OutgoingMessage

PEER = 7001


class FakeMessages(MessageService):
    """Remembers what was accepted, refuses what it is told to."""

    def __init__(self) -> None:
        self.accepted: list[OutgoingMessage] = []
        self.entries: list[Entry] = []
        self.selections: list[Selection] = []
        self.found: list[Receipt] = []
        self.refusal: Exception | None = None
        self.chats_found = Chats((), (), is_complete=True)
        self.chats_asked: list[tuple[ChatSelection | None, bool]] = []

    async def accept(self, number: str, draft: OutgoingMessage) -> Accepted:
        if self.refusal:
            raise self.refusal
        is_repeat = any(draft.planfix_id == kept.planfix_id for kept in self.accepted)
        if not is_repeat:
            self.accepted.append(draft)
        return Accepted(f"{number}_{PEER}", str(PEER), is_repeat)

    async def list(self, number: str, selection: Selection) -> tuple[Entry, ...]:
        self.selections.append(selection)
        before = selection.before
        page = [each for each in self.entries if before is None or each.id < before]
        return tuple(page[: selection.limit])

    async def chats(
        self, number: str, selection: ChatSelection | None, *, with_names: bool
    ) -> Chats:
        self.chats_asked.append((selection, with_names))
        return self.chats_found

    async def search(self, number: str, selection: Selection) -> tuple[Sequence[Entry], int | None]:
        self.selections.append(selection)
        return [each for each in self.entries if selection.matches(each)], None

    async def find_path(self, number: str, row: int) -> MessagePath:
        found = [entry for entry in self.entries if entry.id == row]
        if not found:
            raise MessageUnknown
        return MessagePath(found[0], (), ())

    async def dismiss(self, number: str, row: int) -> None:
        try:
            await self.replay(number, row)
        except MessageNotDead as exc:
            raise MessageNotDismissable(exc.detail) from exc

    async def replay(self, number: str, row: int) -> None:
        found = [entry for entry in self.entries if entry.id == row]
        if not found:
            raise MessageUnknown
        if found[0].state is not RowState.DEAD:
            raise MessageNotDead(f"it is {found[0].state}")

    async def replay_all(self, number: str) -> int:
        return sum(entry.state is RowState.DEAD for entry in self.entries)

    async def receipts(self, number: str, limit: int = 100) -> tuple[Receipt, ...]:
        return tuple(self.found[:limit])


class FakeFiles(LinkedFiles):
    """Knows the files of a few links."""

    def __init__(self) -> None:
        self.kept: dict[str, OpenFile] = {}

    async def find(self, token: str) -> OpenFile:
        if token not in self.kept:
            raise LinkInvalid
        return self.kept[token]
