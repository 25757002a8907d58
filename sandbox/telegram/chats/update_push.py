"""Writes events into the accounts' logs and pushes them to the connected sessions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.clock import now
from sandbox.telegram.faults import Kind
from sandbox.telegram.records.event_log import BotStopped, NewMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.accounts.viewer import Viewer
    from sandbox.telegram.faults import Faults
    from sandbox.telegram.protocol.client_keys import Keyring
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.records.chats import Channel
    from sandbox.telegram.records.event_log import Entry, Event


class UpdatePush:
    """Records events and pushes them to the sessions of the accounts."""

    def __init__(
        self, accounts: Accounts, keys: Keyring, faults: Faults, time: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._keys = keys
        self._faults = faults
        self._time = time
        # Push plain texts as updateShortMessage, without users, as Telegram often does.
        self.prefers_short = False

    def record(self, account: Account, event: Event, *, origin: Session | None = None) -> Entry:
        """Log an event and push it to all sessions but the one that caused it."""
        profile = account.bot_profile
        # Events of this kind are counted by qts, and so have a log of their own.
        is_by_qts = isinstance(event, BotStopped)
        log = profile.log if profile and is_by_qts else account.log
        entry = log.append(event)
        self._push(self._listeners(account, origin), partial(self._shown, entry))
        return entry

    def record_in(self, channel: Channel, event: Event, *, origin: Session | None = None) -> Entry:
        """Log an event of a channel and push it to the sessions of its members."""
        entry, channel.active = channel.log.append(event), now()
        for member in map(self._accounts.__getitem__, channel.members):
            self._push(self._listeners(member, origin), partial(self._shown_in, channel, entry))
        return entry

    def push(
        self,
        account: Account,
        update: Any,
        peers: Iterable[int] = (),
        *,
        origin: Session | None = None,
        lasting: bool = True,
    ) -> None:
        """Push an update that has no place in the account's log, such as typing."""
        show = partial(self._wrapped, update, peers)
        self._push(self._listeners(account, origin), show, lasting=lasting)

    def writes_newer(self, *people: Account) -> bool:
        """Return whether messages between these people have parts of a newer layer."""
        moment = self._time()
        return any(self._faults.holds(Kind.NEWER_LAYER, who.phone, moment) for who in people)

    def _push(
        self, sessions: Iterable[Session], show: Callable[[Viewer], Any], *, lasting: bool = True
    ) -> None:
        """Push to each session what its login sees; push nothing if that is None."""
        bodies: dict[tuple[Viewer, int | None], bytes] = {}
        for session in list(sessions):
            viewer = session.key.viewer
            if viewer is None:
                continue
            reader = viewer, session.layer
            if reader not in bodies:
                shown = show(viewer)
                bodies[reader] = session.serialise(shown) if shown else b""
            if bodies[reader]:
                session.push(bodies[reader], lasting=lasting)

    def _wrapped(self, update: Any, peers: Iterable[int], viewer: Viewer) -> Any:
        if not peers:
            return types.UpdateShort(update, now())
        return tl_views.updates(viewer, self._accounts, [update], peers)

    def _listeners(self, account: Account, origin: Session | None) -> Iterator[Session]:
        moment = self._time()
        if any(self._faults.holds(kind, account.phone, moment) for kind in (Kind.DEAF, Kind.BAN)):
            return
        yield from (s for s in self._keys.listening(account) if s is not origin)

    def _shown(self, entry: Entry, viewer: Viewer) -> Any | None:
        account = viewer.account
        if self.prefers_short and (short := _short(account, entry)):
            return short
        update = tl_views.update(account, entry)
        if update is None:
            return None
        named = tl_views.peers_in(account, entry)
        return tl_views.updates(viewer, self._accounts, [update], named)

    def _shown_in(self, channel: Channel, entry: Entry, viewer: Viewer) -> Any:
        account = viewer.account
        update = tl_views.update(account, entry, channel)
        named = tl_views.peers_in(account, entry, channel) | {channel.id}
        return tl_views.updates(viewer, self._accounts, [update], named)


def _short(account: Account, entry: Entry) -> Any | None:
    if not isinstance(entry.event, NewMessage):
        return None
    record = account.box.get(entry.event.message_id)
    if record is None or record.peer <= 0:
        return None
    content = record.content
    is_plain = not any((content.media, content.action, content.forward, content.reply_markup))
    return tl_views.short_message(account, record, entry.pts) if is_plain else None
