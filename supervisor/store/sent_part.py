"""What is in Telegram of the parts of a message, as the column of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supervisor.database import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

_TO_BE_SENT = "-"  # begins APART, too
_UNKNOWN = "0"

IS_WHOLE: Final = tables.sent_part.c.message_ids.not_like(f"%{_TO_BE_SENT}%")


def write(message_ids: Sequence[int | None]) -> str:
    return ",".join(_TO_BE_SENT if each is None else str(each) for each in message_ids)


def read(written: str) -> tuple[int | None, ...]:
    words = (written or _UNKNOWN).split(",")
    return tuple(None if word == _TO_BE_SENT else int(word) for word in words)
