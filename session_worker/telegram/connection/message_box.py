"""The account's update state, kept by Telethon's message box with its defects repaired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from telethon._updates import MessageBox, SessionState
from telethon._updates.messagebox import ENTRY_ACCOUNT, PtsInfo
from telethon.tl import types

from session_worker.protocol.contract import UpdateState

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Gap:
    """Updates that cannot be fetched as updates, so that the history must be read instead.

    Either Telegram no longer provides them, or our layer cannot decode them. In the second case the
    ids are those of the messages next to the gap, or 0 if none is known.
    """

    pts_from: int
    pts_to: int
    is_undecodable: bool = False
    after_id: int = 0
    before_id: int = 0

    @property
    def steps(self) -> int:
        """How many updates may be missing at most."""
        return self.pts_to - self.pts_from


class AccountBox(MessageBox):  # type: ignore[misc]  # telethon is untyped
    """A message box that keeps all updates of a difference and does not follow channels."""

    def __init__(self, log: Any) -> None:
        super().__init__(log)
        self._gaps: list[Gap] = []
        self._trusted = False
        self._newest_id = 0

    def restore(self, state: UpdateState) -> None:
        self.load(
            SessionState(0, 0, False, state.pts, state.qts, state.date, state.seq, None),
            [],
        )

    def state(self) -> UpdateState:
        account, _ = self.session_state()
        return UpdateState(
            pts=account["pts"],
            qts=account["qts"],
            date=int(self.date.timestamp()),
            seq=account["seq"],
        )

    @property
    def is_behind(self) -> bool:
        """Whether updates are known to exist that have not arrived yet."""
        return bool(self.possible_gaps or self.getting_diff_for)

    def skip(self, gap: Gap) -> None:
        """Move the update state past updates that cannot be decoded."""
        self._gaps.append(replace(gap, after_id=self._newest_id))
        self.map[ENTRY_ACCOUNT].pts = gap.pts_to

    def take_gaps(self) -> list[Gap]:
        gaps, self._gaps = self._gaps, []
        return gaps

    def record_newest(self, updates: Iterable[Any]) -> None:
        """Remember the id of the newest message of the account."""
        self._newest_id = max((self._newest_id, *map(_message_id, updates)))

    def apply_pts_info(self, update: Any, *, reset_deadlines: Any) -> Any:
        # Telethon drops the account's own updates from a difference (they count as "being fetched")
        # and starts differences of channels, which this gateway does not need.
        if self._trusted or is_of_channel(update):
            return update
        return super().apply_pts_info(update, reset_deadlines=reset_deadlines)

    def apply_difference(self, diff: Any, chat_hashes: Any) -> Any:
        before = self.map[ENTRY_ACCOUNT].pts
        self._trusted = True
        try:
            updates, users, chats = super().apply_difference(diff, chat_hashes)
        finally:
            self._trusted = False
        if isinstance(diff, types.updates.DifferenceTooLong) and diff.pts > before:
            self._gaps.append(Gap(before, diff.pts))
            # Telegram wants to be asked for the difference again, from the state that it named.
            self.try_begin_get_diff(ENTRY_ACCOUNT, "the difference was too long")
        # A difference without other updates contains its own container as one of them.
        found = [update for update in updates if not isinstance(update, types.Updates)]
        return messages_first(found), users, chats


def _message_id(update: Any) -> int:
    match update:
        case types.UpdateNewMessage(message=message):
            return int(message.id)
        case types.UpdateShortMessage() | types.UpdateShortChatMessage():
            return int(update.id)
        case _:
            return 0


def is_of_channel(update: Any) -> bool:
    """Whether an update belongs to a channel or a supergroup."""
    if isinstance(update, types.UpdateChannelTooLong):
        return True
    info = PtsInfo.from_update(update)
    return info is not None and isinstance(info.entry, int)


def messages_first(updates: list[Any]) -> list[Any]:
    """Order a difference so that no message is edited before it exists."""
    return sorted(updates, key=lambda update: not isinstance(update, types.UpdateNewMessage))
