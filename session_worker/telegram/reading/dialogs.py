"""Pages through the list of an account's chats once."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from session_worker.telegram.reading.message_parser import marked_id

PAGE = 100  # chats
MOST_PAGES = 50


class Dialogs:
    """Asks for one page after another; a page that could not be fetched is asked for again."""

    def __init__(self, most_pages: float = MOST_PAGES) -> None:
        self._pages = 0
        self._most_pages = most_pages
        self.next_request: Any = _request(None, 0, types.InputPeerEmpty())

    def take(self, page: Any) -> None:
        """Continue after this page; after the last one, or a rejected one, there is no other."""
        self._pages += 1
        last = None if page is None else _last(page)
        if last is None or not isinstance(page, types.messages.DialogsSlice):
            self.next_request = None
            return
        peer = entities_of(page).get(marked_id(last.peer_id))
        is_over = peer is None or self._pages >= self._most_pages
        self.next_request = None if is_over else _request(last.date, last.id, peer)


def _request(date: Any, message_id: int, peer: Any) -> Any:
    return functions.messages.GetDialogsRequest(
        offset_date=date, offset_id=message_id, offset_peer=peer, limit=PAGE, hash=0
    )


def with_newest_messages(page: Any) -> list[tuple[Any, Any]]:
    """Return the dialogs of a page, each with its newest message, or None if the page lacks it."""
    there = (each for each in page.messages if not isinstance(each, types.MessageEmpty))
    messages = {(marked_id(message.peer_id), message.id): message for message in there}
    return [(d, messages.get((marked_id(d.peer), d.top_message))) for d in page.dialogs]


def entities_of(page: Any) -> dict[int, Any]:
    """Return the users, groups and channels of an answer by their marked ids."""
    chats = {marked_id(_peer_of(chat)): chat for chat in page.chats}
    return {user.id: user for user in page.users} | chats


def _last(page: Any) -> Any:
    """Return the newest message of the last chat on the page that has one."""
    found = (message for _, message in reversed(with_newest_messages(page)))
    return next((message for message in found if message is not None), None)


def _peer_of(chat: Any) -> Any:
    is_group = isinstance(chat, types.Chat | types.ChatForbidden | types.ChatEmpty)
    return types.PeerChat(chat.id) if is_group else types.PeerChannel(chat.id)
