"""How far the history of each chat has been delivered, in a file that outlives the worker."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from session_worker.protocol.chats import ChatSelection

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class HistoryProgress:
    """The chats that are delivered completely, and the last delivered message of the others."""

    since: str = ""
    selection: str = ""
    began: int = 0
    is_over: bool = False
    done: list[int] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)

    def begun_with(self, since: date, selection: ChatSelection, now: int) -> HistoryProgress:
        """Return the progress of this order: more of an earlier one, if that began as early.

        A selection that has changed may have new chats, so all chats are looked at again.
        """
        digest = blake2b(selection.model_dump_json().encode(), digest_size=8).hexdigest()
        if not self.since or since.isoformat() < self.since:
            return HistoryProgress(since=since.isoformat(), selection=digest, began=now)
        self.is_over = self.is_over and self.selection == digest
        self.selection = digest
        return self


def load_progress(path: Path) -> HistoryProgress:
    try:
        known: Any = json.loads(path.read_text())
        return HistoryProgress(**known)
    except FileNotFoundError:
        return HistoryProgress()
    except (OSError, ValueError, TypeError) as error:
        # What was delivered is known to the journal, so beginning again repeats nothing.
        logger.warning("the progress of the history cannot be read: %s", error)
        return HistoryProgress()


def save_progress(path: Path, progress: HistoryProgress) -> None:
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(asdict(progress)))
        fresh.replace(path)
    except OSError as error:
        logger.warning("the progress of the history cannot be written: %s", error)
