"""What Telethon's sessions keep from one process to the next."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient
from telethon.sessions import SQLiteSession, StringSession

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.sandbox.telegram.client_events import address, hear, texts
from tests.acceptance.sandbox.telegram.conftest import make_client
from tests.acceptance.sandbox.telegram.update_markers import pass_landmark
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


def client_on_file(centre: DataCentre, path: Path, account: Account | None = None) -> Any:
    """Make a client on a session file; an account makes the file one that is logged in to it."""
    session = SQLiteSession(str(path))
    if account:
        key = StringSession(centre.session_string_for(account.phone)).auth_key
        session.set_dc(centre.dc_id, centre.host, centre.port)
        session.auth_key = key
        session.save()
    return TelegramClient(session, 1, "x", catch_up=True, timeout=PATIENCE, flood_sleep_threshold=0)


async def test_string_session_knows_nobody(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """After a restart on a StringSession a bare id leads nowhere; id plus access hash does."""
    before = await client_of(alice)
    await before.get_entity(bob.username)
    await before.disconnect()

    client = await client_of(session=before.session.save())

    with pytest.raises(ValueError, match="Could not find the input entity"):
        await client.send_message(bob.id, "by id")
    assert await client.send_message(address(alice, bob), "by hash")


async def test_session_file_knows_everybody(
    data_centre: DataCentre, tmp_path: Path, alice: Account, bob: Account
) -> None:
    """After a restart on a SQLiteSession a bare id will do."""
    path = tmp_path / "alice.session"
    async with client_on_file(data_centre, path, alice) as before:
        await before.get_entity(bob.username)

    async with client_on_file(data_centre, path) as client:
        assert await client.send_message(bob.id, "by id")


async def test_string_session_has_no_state(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Catch_up=True on a StringSession brings nothing: the session has no pts."""
    session = data_centre.session_string_for(alice.phone)
    data_centre.message_actions.send(bob, alice, Draft("away"))

    client = await client_of(session=session, catch_up=True)
    heard = await hear(client)
    await pass_landmark(data_centre, client, alice)
    data_centre.message_actions.send(bob, alice, Draft("live"))

    await eventually(lambda: heard, awaited="the live message")
    assert texts(heard) == ["live"]


async def test_state_can_be_put_back(data_centre: DataCentre, alice: Account, bob: Account) -> None:
    """With a stored pts put into the session, catch_up=True brings what was missed."""
    client = make_client(data_centre, alice, catch_up=True)
    state = tl_views.state(alice)
    data_centre.message_actions.send(bob, alice, Draft("away"))

    client.session.set_update_state(0, state)
    async with client:
        heard = await hear(client)

        await eventually(lambda: texts(heard) == ["away"], awaited="the missed message")


async def test_crash_repeats_messages(
    data_centre: DataCentre, tmp_path: Path, alice: Account, bob: Account
) -> None:
    """State is saved now and then: after a kill the same messages come again."""
    path, left = tmp_path / "alice.session", tmp_path / "left.session"
    async with client_on_file(data_centre, path, alice) as before:
        heard = await hear(before)
        await before._save_states_and_entities()
        before.session.save()
        data_centre.message_actions.send(bob, alice, Draft("seen"))
        await eventually(lambda: texts(heard) == ["seen"], awaited="the message")
        await asyncio.to_thread(shutil.copy, path, left)

    async with client_on_file(data_centre, left) as client:
        again = await hear(client)

        await eventually(lambda: texts(again) == ["seen"], awaited="the same message")
