"""A number that lost its login misses nothing: what waited is delivered after the next login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.api.operator import ADMIN_KEY
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_backlog_waits_for_the_next_login(
    programs: Programs, conversation: Conversation
) -> None:
    """What was written both ways while the number was logged out arrives, once, in order."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.telegram_fails(kind="revoke")
    await programs.control("POST", "/telegram/faults", kind="cut")
    await eventually(lambda: is_in(conversation, "needs_login"), awaited="needs_login")
    await conversation.employee_tells("meanwhile, from Planfix")
    for text in ("meanwhile 1", "meanwhile 2", "meanwhile 3"):
        await conversation.contact_writes(text)

    await log_in(programs, conversation)

    await conversation.until_in_planfix("before", "meanwhile 1", "meanwhile 2", "meanwhile 3")
    await conversation.until_in_telegram("meanwhile, from Planfix")
    receipts = await conversation.receipts()
    assert all(receipt["missing"] == 0 for receipt in receipts)


async def is_in(conversation: Conversation, state: str) -> bool:
    return bool((await conversation.shown())["state"] == state)


async def log_in(programs: Programs, conversation: Conversation) -> None:
    key = {"Authorization": f"Bearer {ADMIN_KEY}"}
    login = f"{programs.server.url}/numbers/{conversation.number}/login"
    begun = (await programs.http.post(login, json={"method": "qr"}, headers=key)).json()
    scan = {"phone": conversation.number, "url": begun["qr_url"]}
    (await programs.http.post(f"{programs.sandbox_url}/telegram/qr", json=scan)).raise_for_status()
    await conversation.until_online()
