"""What pages of chats and messages may contain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.telegram.reading.dialogs import with_newest_messages
from session_worker.telegram.reading.history import Backfill, Last
from tests.unit.session_worker.telegram.reading.test_update_parser import made_parser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

GONE = types.MessageEmpty(5, None)
HELLO = types.Message(id=4, peer_id=types.PeerUser(7), date=datetime.now(UTC), message="hello")


async def at_once(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


async def test_message_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    """An id without a message has no date, but those beside it have."""

    async def ask(_request: Any) -> Any:
        return types.messages.Messages([GONE, HELLO], [], [], [])

    page = await Backfill(ask, at_once, Last(0, 1), made_parser(tmp_path)._chosen).page(
        types.InputPeerSelf(), 0
    )

    assert [found.message for found in page] == [HELLO]


def test_chat_whose_newest_message_is_gone_has_none() -> None:
    """It does not hide the newest message of another chat."""
    settings = types.PeerNotifySettings()
    chats = [types.Dialog(types.PeerUser(7), each, 0, 0, 0, 0, 0, 0, settings) for each in (5, 4)]
    page = types.messages.Dialogs(chats, [GONE, HELLO], [], [])

    assert [newest for _, newest in with_newest_messages(page)] == [None, HELLO]


async def test_chat_with_somebody_who_is_not_shown_is_missing(tmp_path: Path) -> None:
    """Telegram may say nothing of a person: the other chats are read, and this one is counted."""

    async def ask(_request: Any) -> Any:
        settings = types.PeerNotifySettings()
        who = (types.PeerUser(7), types.PeerUser(8), types.PeerUser(9))
        chats = [types.Dialog(each, 4, 0, 0, 0, 0, 0, 0, settings) for each in who]
        now = datetime.now(UTC)
        tops = [types.Message(id=4, peer_id=each, date=now, message="hello") for each in who]
        users = [types.UserEmpty(7), types.User(9, first_name="Anna")]
        return types.messages.Dialogs(chats, tops, [], users)

    backfill = Backfill(ask, at_once, Last(3, 0), made_parser(tmp_path)._chosen)

    found = [dialog.peer.user_id async for dialog, _ in backfill.dialogs()]

    assert found == [9]
    assert [each.partition(":")[0] for each in backfill.unread] == ["7", "8"]
