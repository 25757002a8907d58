"""Dialogs and history as unmodified clients page through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.chats.message_actions import Draft

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

LONG = 250  # messages, more than two pages


@pytest.fixture
async def texts(data_centre: DataCentre, alice: Account, bob: Account) -> list[str]:
    """A long chat, oldest first."""
    written = [f"m{i}" for i in range(LONG)]
    for text in written:
        data_centre.message_actions.send(bob, alice, Draft(text))
    return written


async def test_history_is_complete_in_both_directions(
    client_of: ClientOf, alice: Account, texts: list[str]
) -> None:
    """Paging through a long chat yields every message once, forwards as backwards."""
    client = await client_of(alice)

    newest_first = [m.message async for m in client.iter_messages("bobby")]
    oldest_first = [m.message async for m in client.iter_messages("bobby", reverse=True)]

    assert newest_first == texts[::-1]
    assert oldest_first == texts


async def test_history_can_be_bounded(
    client_of: ClientOf, alice: Account, texts: list[str]
) -> None:
    """min_id and max_id are exclusive bounds; total counts the whole chat."""
    client = await client_of(alice)

    page = await client.get_messages("bobby", min_id=10, max_id=21, limit=5)

    assert [m.id for m in page] == [20, 19, 18, 17, 16]
    assert page.total == LONG


async def test_messages_are_found_by_text_and_by_id(
    client_of: ClientOf, alice: Account, texts: list[str]
) -> None:
    """A search returns what contains the words; an unknown id yields nothing."""
    client = await client_of(alice)

    found = await client.get_messages("bobby", search="m24", limit=None)
    by_id = await client.get_messages("bobby", ids=[1, 9999])

    assert [m.message for m in found] == [*(f"m{i}" for i in range(249, 239, -1)), "m24"]
    assert [m and m.message for m in by_id] == ["m0", None]


async def test_dialogs_tell_what_is_unread(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account
) -> None:
    """The newest chat comes first, each with its newest message and unread count."""
    carol = data_centre.add_account("+380501110003", "Carol")
    for text in ("one", "two"):
        data_centre.message_actions.send(bob, alice, Draft(text))
    data_centre.message_actions.send(carol, alice, Draft("three"))
    client = await client_of(alice)

    dialogs = await client.get_dialogs()

    assert [(d.id, d.unread_count, d.message.message) for d in dialogs] == [
        (carol.id, 1, "three"),
        (bob.id, 2, "two"),
    ]


async def test_many_dialogs_come_page_by_page(
    client_of: ClientOf, data_centre: DataCentre, alice: Account
) -> None:
    """More chats than fit a page are all listed once."""
    people = [data_centre.add_account(f"+38067000{i:04}", f"P{i}") for i in range(130)]
    for person in people:
        data_centre.message_actions.send(person, alice, Draft("hi"))
    client = await client_of(alice)

    dialogs = await client.get_dialogs(limit=None)

    assert [d.id for d in dialogs] == [p.id for p in reversed(people)]


async def test_read_chat_has_nothing_unread(
    client_of: ClientOf, alice: Account, texts: list[str]
) -> None:
    """Reading a chat clears its unread count."""
    client = await client_of(alice)

    await client.send_read_acknowledge("bobby")

    assert (await client.get_dialogs())[0].unread_count == 0
