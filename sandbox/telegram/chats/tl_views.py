"""Our records as the TL objects that a certain account sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from telethon.tl import types

from sandbox.telegram.accounts.accounts import SERVICE_ID
from sandbox.telegram.clock import now
from sandbox.telegram.files import media
from sandbox.telegram.records.chats import CHANNEL_OFFSET, Channel
from sandbox.telegram.records.event_log import (
    BotStopped,
    DeletedMessages,
    EditedMessage,
    NewMessage,
    OtherEvent,
    ReadInbox,
    ReadOutbox,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.telegram.accounts.accounts import Account, Accounts, Contact
    from sandbox.telegram.accounts.viewer import Viewer
    from sandbox.telegram.records.chats import Chat
    from sandbox.telegram.records.event_log import Entry
    from sandbox.telegram.records.mailbox import Message, Reaction


_MESSAGE_UPDATES = {
    (NewMessage, False): types.UpdateNewMessage,
    (NewMessage, True): types.UpdateNewChannelMessage,
    (EditedMessage, False): types.UpdateEditMessage,
    (EditedMessage, True): types.UpdateEditChannelMessage,
}


def peer_of(marked: int) -> Any:
    """Convert one of our peer numbers (user > 0, group < 0, channel < -10**12) into a Peer."""
    if marked > 0:
        return types.PeerUser(marked)
    if marked < -CHANNEL_OFFSET:
        return types.PeerChannel(-CHANNEL_OFFSET - marked)
    return types.PeerChat(-marked)


def user(viewer: Viewer, subject: Account) -> Any:
    """Show an account to another account, or to itself."""
    contact = viewer.account.contacts.get(subject.id)
    is_self = subject is viewer.account
    knows_phone = is_self or subject.phone_visible or _knows_phone(contact, subject)
    return types.User(
        subject.id,
        is_self=is_self or None,
        contact=contact is not None or None,
        mutual_contact=(contact is not None and viewer.id in subject.contacts) or None,
        bot=subject.bot or None,
        bot_info_version=1 if subject.bot else None,
        verified=subject.id == SERVICE_ID or None,
        access_hash=viewer.access_hash(subject.id),
        first_name=contact.first_name if contact else subject.first_name,
        last_name=(contact.last_name if contact else subject.last_name) or None,
        username=subject.username,
        phone=subject.phone if knows_phone and not subject.bot else None,
        photo=media.shown_profile_photo(subject.photos),
        status=None if subject.bot else types.UserStatusRecently(),
    )


def about(viewer: Account, subject: Account) -> str | None:
    """Show a bio to those who may see it."""
    is_shown = subject is viewer or subject.about_visible
    return subject.about or None if is_shown else None


def chat(viewer: Viewer, subject: Chat) -> Any:
    """Show a group or a channel to a member or to somebody else."""
    shared: dict[str, Any] = {
        "title": subject.title,
        "photo": types.ChatPhotoEmpty(),
        "date": subject.date,
        "participants_count": len(subject.members),
        "creator": subject.creator_id == viewer.id or None,
        "left": viewer.id not in subject.members or None,
    }
    if not isinstance(subject, Channel):
        return types.Chat(-subject.id, version=1, **shared)
    return types.Channel(
        subject.bare_id,
        access_hash=viewer.access_hash(subject.id),
        broadcast=subject.broadcast or None,
        megagroup=not subject.broadcast or None,
        forum=bool(subject.topics) or None,
        **shared,
    )


def message(viewer: Account, record: Message) -> Any:
    """Show a message from the viewer's own mailbox or from that of a channel."""
    content = record.content
    shared = {
        "id": record.id,
        "peer_id": peer_of(record.peer),
        "date": content.date,
        "out": record.out or _wrote(viewer, record) or None,
        "post": content.is_post or None,
        "silent": content.silent or None,
        "from_id": _from_id(record),
        "reply_to": _reply_header(viewer, record),
    }
    if content.action is not None:
        return types.MessageService(action=content.action, **shared)
    return types.Message(
        message=content.text,
        entities=content.entities or None,
        media=media.shown(viewer, content.media),
        media_unread=is_unplayed(record) or None,
        fwd_from=content.forward,
        edit_date=content.edit_date,
        edit_hide=content.is_edit_hidden or None,
        reactions=_reactions(viewer, content.reactions),
        grouped_id=content.grouped_id,
        reply_markup=content.reply_markup,
        **shared,
    )


def _reactions(viewer: Account, found: Mapping[int, Reaction]) -> Any:
    if not found:
        return None
    given = [
        (who, reaction.date, emoji) for who, reaction in found.items() for emoji in reaction.emojis
    ]
    counts: dict[str, Any] = {}
    for who, _, emoji in given:
        count = counts.setdefault(emoji.stringify(), types.ReactionCount(emoji, 0))
        count.count += 1
        count.chosen_order = 0 if who == viewer.id else count.chosen_order
    recent = [
        types.MessagePeerReaction(types.PeerUser(who), date, emoji, my=who == viewer.id or None)
        for who, date, emoji in given
    ]
    return types.MessageReactions(list(counts.values()), can_see_list=True, recent_reactions=recent)


def short_message(viewer: Account, record: Message, pts: int) -> Any:
    """Show a plain text in the short form, which contains no users."""
    content = record.content
    return types.UpdateShortMessage(
        record.id,
        record.peer,
        content.text,
        pts,
        1,
        content.date,
        out=record.out or None,
        silent=content.silent or None,
        reply_to=_reply_header(viewer, record),
        entities=content.entities or None,
    )


def update(viewer: Account, entry: Entry, channel: Channel | None = None) -> Any | None:
    """Show an event of the viewer's log, or of a channel's; None if its message is gone."""
    steps = (entry.pts, entry.steps)
    match entry.event:
        case NewMessage(message_id) | EditedMessage(message_id):
            record = (channel or viewer).box.get(message_id)
            kind = _MESSAGE_UPDATES[type(entry.event), channel is not None]
            return record and kind(message(viewer, record), *steps)
        case DeletedMessages(message_ids):
            return _deletion(channel, list(message_ids), *steps)
        case ReadInbox(peer, max_id, unread):
            return types.UpdateReadHistoryInbox(peer_of(peer), max_id, unread, *steps)
        case ReadOutbox(peer, max_id):
            return types.UpdateReadHistoryOutbox(peer_of(peer), max_id, *steps)
        case BotStopped(user_id, date, is_stopped):
            return types.UpdateBotStopped(user_id, date, is_stopped, entry.pts)
        case OtherEvent(shown):
            shown.pts, shown.pts_count = steps
            return shown
        case _:
            assert_never(entry.event)


def _deletion(channel: Channel | None, message_ids: list[int], pts: int, steps: int) -> Any:
    if channel is None:
        return types.UpdateDeleteMessages(message_ids, pts, steps)
    return types.UpdateDeleteChannelMessages(channel.bare_id, message_ids, pts, steps)


def peers_in(viewer: Account, entry: Entry, channel: Channel | None = None) -> set[int]:
    """List the users and chats that an event mentions."""
    match entry.event:
        case NewMessage(message_id) | EditedMessage(message_id):
            record = (channel or viewer).box.get(message_id)
            return peers_of(record) if record else set()
        case ReadInbox(peer, _, _) | ReadOutbox(peer, _):
            return {peer}
        case BotStopped(user_id):
            return {user_id}
        case OtherEvent(_, users):
            return set(users)
        case DeletedMessages():
            return set()
        case _:
            assert_never(entry.event)


def is_unplayed(record: Message) -> bool:
    """Return whether this is a voice or video message that the recipient has not played yet."""
    return media.is_listened_to(record.content.media) and not record.content.was_played


def peers_of(record: Message) -> set[int]:
    """List the users and the chat that a message mentions."""
    content = record.content
    forwarded = getattr(getattr(content.forward, "from_id", None), "user_id", None)
    concerned = getattr(content.action, "users", ()), getattr(content.action, "user_id", None)
    author = None if content.is_post else content.sender_id
    return {i for i in (record.peer, author, forwarded, *concerned[0], concerned[1]) if i}


def chats(viewer: Viewer, accounts: Accounts, ids: Iterable[int]) -> list[Any]:
    """Show the groups and channels among the peers, and leave out the rest."""
    found = (accounts.chats.get(peer) for peer in sorted(set(ids)))
    return [chat(viewer, each) for each in found if each is not None]


def users(viewer: Viewer, accounts: Accounts, ids: Iterable[int]) -> list[Any]:
    """Show the accounts among the peers, and leave out the rest."""
    found = (accounts.get(user_id) for user_id in sorted(set(ids)))
    return [user(viewer, account) for account in found if account is not None]


def updates(viewer: Viewer, accounts: Accounts, shown: list[Any], ids: Iterable[int]) -> Any:
    """Wrap updates with the peers they mention; seq 0 leaves their order to pts."""
    named = set(ids)
    people, places = users(viewer, accounts, named), chats(viewer, accounts, named)
    return types.Updates(shown, people, places, now(), 0)


def state(viewer: Account, pts: int | None = None, qts: int | None = None) -> Any:
    if qts is None:
        qts = viewer.bot_profile.log.pts if viewer.bot_profile else 0
    return types.updates.State(viewer.log.pts if pts is None else pts, qts, now(), 0, 0)


def _is_in_channel(record: Message) -> bool:
    return record.peer < -CHANNEL_OFFSET


def _wrote(viewer: Account, record: Message) -> bool:
    """Return whether a channel's message, of which there is only one copy, is the viewer's own."""
    return _is_in_channel(record) and record.content.sender_id == viewer.id


def _knows_phone(contact: Contact | None, subject: Account) -> bool:
    return contact is not None and contact.phone == subject.phone


def _from_id(record: Message) -> Any:
    """Return the sender, unless the peer already names or hides it."""
    is_told = (record.peer > 0 and not record.out) or record.content.is_post
    return None if is_told else types.PeerUser(record.content.sender_id)


def _reply_header(viewer: Account, record: Message) -> Any:
    replied = record.content.reply_to
    owner = record.peer if _is_in_channel(record) else viewer.id
    message_id = replied.copies.get(owner) if replied else None
    topic = record.content.topic
    if topic is None:
        return message_id and types.MessageReplyHeader(reply_to_msg_id=message_id)
    is_deeper = message_id not in (None, topic)
    return types.MessageReplyHeader(
        forum_topic=True,
        reply_to_msg_id=message_id or topic,
        reply_to_top_id=topic if is_deeper else None,
    )
