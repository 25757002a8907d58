"""Points in time that a client has passed, so that what did not come before is known not to come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon import events
from telethon.tl import types

from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre


async def pass_landmark(centre: DataCentre, client: Any, account: Account) -> None:
    """Push a typing notice, which has no pts, then wait until the client handled it."""
    passed = asyncio.Event()

    async def look(_update: Any) -> None:
        passed.set()

    notice = types.UpdateUserTyping(account.id, types.SendMessageTypingAction())
    client.add_event_handler(look, events.Raw(types.UpdateUserTyping))
    centre.update_push.push(account, notice)
    async with asyncio.timeout(PATIENCE):
        await passed.wait()
    client.remove_event_handler(look)


async def line_is_back(centre: DataCentre, account: Account) -> None:
    """Wait until a client whose line was cut has come back by itself."""
    await eventually(lambda: any(centre.keys.listening(account)), awaited="the reconnect")
