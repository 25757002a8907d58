"""What updates of Telegram mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.heard import Written
from session_worker.message import IncomingKind
from session_worker.recollection import Line, Recollection
from session_worker.telegram.listener import MOST_DELETIONS, Listener
from session_worker.telegram.people import People
from session_worker.whereabouts import Whereabouts
from session_worker.words import words_of

if TYPE_CHECKING:
    from pathlib import Path


async def nobody(_request: Any) -> list[Any]:
    return []


async def test_deleted_chat_comes_in_pieces(tmp_path: Path) -> None:
    """However many messages are deleted at once, each of them is told, in events within bounds."""
    recollection = Recollection()
    for message_id in range(1, 251):
        recollection.remember(message_id, Line(7, is_out=False, snippet="hello"))
    places = (Whereabouts(tmp_path / "in"), Whereabouts(tmp_path / "out"))
    listener = Listener(People(nobody), recollection, places, words_of("en"))

    heard = await listener.listen(types.UpdateDeleteMessages(list(range(1, 251)), 1, 1))

    deleted = [each.incoming for each in heard if isinstance(each, Written)]
    assert [len(each.message_ids) for each in deleted] == [MOST_DELETIONS, MOST_DELETIONS, 50]
    assert [i for each in deleted for i in each.message_ids] == list(range(1, 251))
    assert {each.what for each in deleted} == {IncomingKind.DELETION}
