"""The control calls that put a number into groups, with what its client hears of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import events

from tests.acceptance.sandbox.control.conftest import ALICE, BOB
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.sandbox.control.conftest import Control


async def make(control: Control, kind: str, **order: Any) -> int:
    order = {"kind": kind, "title": "Many", "owner": ALICE, "members": [BOB]} | order
    chat_id: int = (await control.ask("POST", "/telegram/groups", 201, **order))["chat_id"]
    return chat_id


@pytest.mark.parametrize("kind", ["group", "channel", "supergroup"])
async def test_member_hears_what_is_posted(control: Control, kind: str) -> None:
    """A post reaches a member's client in the chat that was made."""
    client = await control.client_of(BOB)
    heard: list[Any] = []

    async def keep(event: Any) -> None:
        heard.append(event)

    client.add_event_handler(keep, events.NewMessage())
    async with client:
        await client.get_me()
        chat_id = await make(control, kind)
        order = {"from": ALICE, "text": "to all"}
        answer = await control.ask("POST", f"/telegram/groups/{chat_id}/messages", 201, **order)
        await eventually(lambda: heard, awaited="the post")

    assert (heard[0].chat_id, heard[0].raw_text) == (chat_id, "to all")
    assert isinstance(answer["id"], int)
    assert heard[0].is_channel == (kind != "group")


async def test_reader_of_a_channel_may_not_post(control: Control) -> None:
    """Telegram's own refusal is told in its own words."""
    chat_id = await make(control, "channel")
    order = {"from": BOB, "text": "no"}

    answer = await control.ask("POST", f"/telegram/groups/{chat_id}/messages", 400, **order)

    assert answer["detail"] == "CHAT_WRITE_FORBIDDEN"


async def test_unknown_chat_is_not_found(control: Control) -> None:
    """A post to no chat is a 404."""
    order = {"from": ALICE, "text": "hello"}

    answer = await control.ask("POST", "/telegram/groups/-7/messages", 404, **order)

    assert answer["error"] == "not_found"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"kind": "party"}, 400), ({"title": " "}, 400), ({"members": ["380999999999"]}, 404)],
)
async def test_wrong_order_makes_no_group(
    control: Control, change: dict[str, Any], status: int
) -> None:
    """A wrong kind, an empty title or an unknown member is refused."""
    order = {"kind": "group", "title": "Many", "owner": ALICE, "members": [BOB]} | change

    await control.ask("POST", "/telegram/groups", status, **order)
