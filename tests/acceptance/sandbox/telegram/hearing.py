"""What a test needs to talk over a client: an ear, the other side's address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon import events
from telethon.tl import types

from sandbox.telegram import views

if TYPE_CHECKING:
    from sandbox.telegram.accounts import Account
    from sandbox.telegram.chats import Channel


async def hear(client: Any, *builders: Any) -> list[Any]:
    """Collect the client's events from now on, new messages if nothing else is named."""
    heard: list[Any] = []

    async def keep(event: Any) -> None:
        heard.append(event)

    for builder in builders or (events.NewMessage(),):
        client.add_event_handler(keep, builder)
    # Updates come only after a request that needs a login.
    await client.get_me()
    return heard


def address(viewer: Account, subject: Account) -> Any:
    """Name an account as another may."""
    return types.InputPeerUser(subject.id, views.access_hash(viewer.id, subject.id))


def input_channel(viewer: Account, channel: Channel) -> Any:
    """Name a channel as somebody may."""
    return types.InputChannel(channel.bare_id, views.access_hash(viewer.id, channel.id))


def input_peer_channel(viewer: Account, channel: Channel) -> Any:
    return types.InputPeerChannel(channel.bare_id, views.access_hash(viewer.id, channel.id))


def texts(heard: list[Any]) -> list[str]:
    return [event.raw_text for event in heard]
