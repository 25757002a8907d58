"""What a test needs to talk over a client: an ear, the other side's address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon import events
from telethon.tl import types

from sandbox.telegram.accounts.viewer import Viewer

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.chats.chats import Channel


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


def address(viewer: Account, subject: Account, login: int | None = None) -> Any:
    """Name an account as another may under one of its logins, the newest unless told otherwise."""
    of_viewer = _newest_login(viewer) if login is None else Viewer(viewer, login)
    return types.InputPeerUser(subject.id, of_viewer.access_hash(subject.id))


def input_channel(viewer: Account, channel: Channel) -> Any:
    """Name a channel as somebody may."""
    return types.InputChannel(channel.bare_id, _newest_login(viewer).access_hash(channel.id))


def input_peer_channel(viewer: Account, channel: Channel) -> Any:
    return types.InputPeerChannel(channel.bare_id, _newest_login(viewer).access_hash(channel.id))


def _newest_login(account: Account) -> Viewer:
    return Viewer(account, account.sign_ins)


def texts(heard: list[Any]) -> list[str]:
    return [event.raw_text for event in heard]
