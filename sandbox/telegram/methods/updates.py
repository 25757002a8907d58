"""The events that a client has missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.telegram.records.chats import Channel
    from sandbox.telegram.records.event_log import Entry
    from sandbox.telegram.rpc import Call

SLICE = 100  # events


@method(functions.updates.GetStateRequest)
def get_state(call: Call, _request: Any) -> Any:
    return tl_views.state(call.account)


@method(functions.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    account = call.account
    if request.pts < 1:
        raise RpcError("PERSISTENT_TIMESTAMP_EMPTY")
    if account.log.is_forgotten(request.pts):
        return types.updates.DifferenceTooLong(account.log.pts)
    entries, channels = account.log.since(request.pts), _active_channels(call, request.date)
    profile = account.bot_profile
    by_qts = profile.log.since(request.qts) if profile else []
    if not entries and not channels and not by_qts:
        return types.updates.DifferenceEmpty(now(), 0)
    size = max(1, min(request.pts_limit or SLICE, SLICE))
    if len(entries) > size:
        parts = _parts(call, entries[:size], [])
        reached = tl_views.state(account, entries[size - 1].pts, request.qts)
        return types.updates.DifferenceSlice(*parts, reached)
    parts = _parts(call, [*entries, *by_qts], channels)
    return types.updates.Difference(*parts, tl_views.state(account))


def _active_channels(call: Call, since: datetime | None) -> list[Channel]:
    """Return the channels for which a client has to request a difference of their own."""
    channels = call.services.accounts.channels_of(call.account)
    return [c for c in channels if since is None or (c.active and c.active >= since)]


def _parts(call: Call, entries: list[Entry], channels: list[Channel]) -> tuple[list[Any], ...]:
    """Split events into messages, secret messages, other updates, chats and users."""
    account, accounts = call.account, call.services.accounts
    shown = [update for entry in entries if (update := tl_views.update(account, entry))]
    messages = [u.message for u in shown if isinstance(u, types.UpdateNewMessage)]
    others = [u for u in shown if not isinstance(u, types.UpdateNewMessage)]
    others += [types.UpdateChannelTooLong(c.bare_id, c.log.pts) for c in channels]
    named = {c.id for c in channels}.union(
        *(tl_views.peers_in(account, entry) for entry in entries)
    )
    viewer = call.viewer
    chats, users = tl_views.chats(viewer, accounts, named), tl_views.users(viewer, accounts, named)
    return messages, [], others, chats, users
