"""What updates of Telegram mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.protocol.chats import ChatSelection
from session_worker.protocol.messages import IncomingKind
from session_worker.telegram.reading.chosen_chats import ChosenChats
from session_worker.telegram.reading.message_memory import (
    MessageIndex,
    RecentMessage,
    RecentMessages,
)
from session_worker.telegram.reading.message_parser import ParsedMessage
from session_worker.telegram.reading.people import People
from session_worker.telegram.reading.update_parser import MOST_DELETIONS, UpdateParser
from session_worker.texts import texts_of

if TYPE_CHECKING:
    from pathlib import Path


class Account:
    """An account that is never asked."""

    connections = 0

    async def ask(self, request: Any) -> Any:
        raise AssertionError(request)

    async def until_online(self) -> None:
        raise AssertionError


async def nobody(_request: Any) -> list[Any]:
    return []


async def test_deleted_chat_comes_in_pieces(tmp_path: Path) -> None:
    """However many messages are deleted at once, each of them is told, in events within bounds."""
    recollection = RecentMessages()
    for message_id in range(1, 251):
        recollection.add(message_id, RecentMessage(7, is_out=False, snippet="hello"))
    people = People(nobody)
    places = (MessageIndex(tmp_path / "in"), MessageIndex(tmp_path / "out"))
    chosen = ChosenChats(ChatSelection(), Account(), people)
    listener = UpdateParser(people, recollection, places, texts_of("en"), chosen)

    heard = await listener.parse(types.UpdateDeleteMessages(list(range(1, 251)), 1, 1))

    deleted = [each.incoming for each in heard if isinstance(each, ParsedMessage)]
    assert [len(each.message_ids) for each in deleted] == [MOST_DELETIONS, MOST_DELETIONS, 50]
    assert [i for each in deleted for i in each.message_ids] == list(range(1, 251))
    assert {each.what for each in deleted} == {IncomingKind.DELETION}
