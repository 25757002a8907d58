"""What updates of Telegram mean."""

from __future__ import annotations

from datetime import UTC, datetime
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
    from collections.abc import Sequence
    from pathlib import Path


class Account:
    """An account that is never asked."""

    connections = 0

    async def ask(self, request: Any) -> Any:
        raise AssertionError(request)

    async def until_online(self) -> None:
        raise AssertionError

    def report_folders(self, missing: Sequence[str]) -> None:
        raise AssertionError(missing)


async def nobody(_request: Any) -> list[Any]:
    return []


def made_parser(folder: Path, recollection: RecentMessages | None = None) -> UpdateParser:
    people = People(nobody, lambda: 1)
    chosen = ChosenChats(ChatSelection(), Account(), people)
    indexes = (MessageIndex(folder / "in"), MessageIndex(folder / "out"))
    return UpdateParser(people, recollection or RecentMessages(), indexes, texts_of("en"), chosen)


async def test_deleted_chat_comes_in_pieces(tmp_path: Path) -> None:
    """However many messages are deleted at once, each of them is told, in events within bounds."""
    recollection = RecentMessages()
    listener = made_parser(tmp_path, recollection)
    for message_id in range(1, 251):
        recollection.add(message_id, RecentMessage(7, is_out=False, snippet="hello"))

    heard = await listener.parse(types.UpdateDeleteMessages(list(range(1, 251)), 1, 1))

    deleted = [each.incoming for each in heard if isinstance(each, ParsedMessage)]
    assert [len(each.message_ids) for each in deleted] == [MOST_DELETIONS, MOST_DELETIONS, 50]
    assert [i for each in deleted for i in each.message_ids] == list(range(1, 251))
    assert {each.what for each in deleted} == {IncomingKind.DELETION}


async def test_reaction_may_come_without_its_message(tmp_path: Path) -> None:
    """An update that has only the reactions is told like a hidden edit; a repeated one says nothing."""
    parser = made_parser(tmp_path)
    anna, thumb = types.User(7, first_name="Anna"), types.ReactionEmoji("👍")
    date = datetime(2026, 1, 1, tzinfo=UTC)
    given = types.MessagePeerReaction(types.PeerUser(7), date, thumb)
    shown = types.MessageReactions([types.ReactionCount(thumb, 1)], recent_reactions=[given])
    update = types.UpdateMessageReactions(types.PeerUser(7), 5, shown)
    update._entities = {7: anna}

    (put,), repeated = await parser.parse(update), await parser.parse(update)
    shown.recent_reactions = []
    (taken,) = await parser.parse(update)

    assert isinstance(put, ParsedMessage)
    assert isinstance(taken, ParsedMessage)
    assert (put.incoming.text, put.incoming.reply_to) == ("Reaction: 👍", 5)
    assert (put.incoming.what, put.incoming.is_echo) == (IncomingKind.REACTION, False)
    assert (list(repeated), taken.incoming.text) == ([], "Reaction removed")
