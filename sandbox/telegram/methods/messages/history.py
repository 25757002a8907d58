"""The messages of a chat, page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_channel, find_correspondent
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.media import Document, Photo
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.telegram.records.chats import Channel
    from sandbox.telegram.records.mailbox import Mailbox, Message
    from sandbox.telegram.rpc import Call

LONGEST_PAGE = 100  # messages
_FILTERS: dict[type, Callable[[Message], bool]] = {
    types.InputMessagesFilterEmpty: lambda _: True,
    types.InputMessagesFilterPhotos: lambda m: isinstance(m.content.media, Photo),
    types.InputMessagesFilterDocument: lambda m: (
        isinstance(m.content.media, Document) and not m.content.media.is_played
    ),
    types.InputMessagesFilterPhoneCalls: lambda m: isinstance(
        m.content.action, types.MessageActionPhoneCall
    ),
}


@method(functions.messages.GetHistoryRequest)
def get_history(call: Call, request: Any) -> Any:
    return _page(call, request, _conversation(call, request))


@method(functions.messages.SearchRequest)
def search(call: Call, request: Any) -> Any:
    everywhere = isinstance(request.peer, types.InputPeerEmpty)
    ids = _everything(call) if everywhere else _conversation(call, request)
    return _page(call, request, _matching(call, request, ids))


@method(functions.messages.SearchGlobalRequest)
def search_global(call: Call, request: Any) -> Any:
    return _page(call, request, _matching(call, request, _everything(call)))


def _channel(call: Call, request: Any) -> Channel | None:
    """Return the channel that the request names, if it names one."""
    if not isinstance(getattr(request, "peer", None), types.InputPeerChannel):
        return None
    return find_channel(call.services.accounts, call.viewer, request.peer)


def _box(call: Call, request: Any) -> Mailbox:
    channel = _channel(call, request)
    return channel.box if channel else call.account.box


def _conversation(call: Call, request: Any) -> list[int]:
    if channel := _channel(call, request):
        return channel.conversation.ids
    chat = find_correspondent(call.services.accounts, call.viewer, request.peer)
    return call.account.box.conversation(chat.id).ids


def _everything(call: Call) -> list[int]:
    # Ids are issued in rising order, so the mailbox is sorted already.
    return [message.id for message in call.account.box]


def _matching(call: Call, request: Any, ids: list[int]) -> list[int]:
    fits = _FILTERS.get(type(request.filter))
    if fits is None:
        raise RpcError("INPUT_FILTER_INVALID")
    wanted = request.q.lower()
    found = filter(None, map(_box(call, request).get, ids))
    return [m.id for m in found if wanted in m.content.text.lower() and fits(m)]


def _page(call: Call, request: Any, ids: list[int]) -> Any:
    """Answer with the messages around an offset, newest first, as Telegram counts them."""
    account, accounts = call.account, call.services.accounts
    oldest = bisect_right(ids, getattr(request, "min_id", 0))
    newest = bisect_left(ids, getattr(request, "max_id", 0) or ids[-1] + 1 if ids else 0)
    start = _place(call, request, ids, newest) - getattr(request, "add_offset", 0)
    end = start - min(request.limit or LONGEST_PAGE, LONGEST_PAGE)
    shown = ids[max(end, oldest) : max(min(start, newest), oldest)]
    box, channel = _box(call, request), _channel(call, request)
    found = [m for message_id in reversed(shown) if (m := box.get(message_id))]
    named = set().union(*map(tl_views.peers_of, found))
    page = [tl_views.message(account, m) for m in found]
    extras: tuple[Any, ...] = (
        [],
        tl_views.chats(call.viewer, accounts, named),
        tl_views.users(call.viewer, accounts, named),
    )
    if channel:
        return types.messages.ChannelMessages(channel.log.pts, len(ids), page, *extras)
    if len(found) < len(ids):
        return types.messages.MessagesSlice(len(ids), page, *extras)
    return types.messages.Messages(page, *extras)


def _place(call: Call, request: Any, ids: list[int], newest: int) -> int:
    """Return the place just after the newest message that is older than the offset."""
    if request.offset_id:
        return min(bisect_left(ids, request.offset_id), newest)
    date = getattr(request, "offset_date", None)
    if date is None or not date.timestamp():
        return newest
    box = _box(call, request)
    return bisect_left(ids, date, hi=newest, key=lambda i: _date(box, i))


def _date(box: Mailbox, message_id: int) -> datetime:
    message = box.get(message_id)
    assert message is not None
    return message.content.date
