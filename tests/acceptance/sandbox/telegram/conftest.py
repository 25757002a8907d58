"""A data centre on a real port, with unmodified Telethon clients that always get disconnected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from sandbox.telegram.data_centre import DataCentre
from tests.acceptance.sandbox.telegram.outcome import Bystander, listen_for_errors
from tests.acceptance.sandbox.telegram.raw_client import RawClient
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.protocol.server_key import ServerKey
    from sandbox.telegram.records.chats import Channel

ClientOf = Callable[..., Awaitable[Any]]
ConnectRaw = Callable[..., Awaitable[RawClient]]


@pytest.fixture
async def data_centre(server_key: ServerKey) -> AsyncIterator[DataCentre]:
    async with DataCentre(server_key=server_key) as centre:
        rsa.add_key(centre.public_key_pem, old=False)
        # Telethon remembers the addresses of the first server it has asked, for all clients.
        TelegramClient._config = None
        yield centre


@pytest.fixture
def alice(data_centre: DataCentre) -> Account:
    return data_centre.add_account("+380501110001", "Alice", username="alice")


@pytest.fixture
def bob(data_centre: DataCentre) -> Account:
    return data_centre.add_account("+380501110002", "Bob", username="bobby")


@pytest.fixture
async def news(data_centre: DataCentre, alice: Account, bob: Account) -> Channel:
    """Make a broadcast channel of Alice's that Bob reads."""
    channel, _ = data_centre.channels.create(alice, "News", broadcast=True)
    data_centre.channels.invite(channel, alice, [bob])
    return channel


@pytest.fixture
async def crowd(data_centre: DataCentre, alice: Account, bob: Account) -> Channel:
    """Make a supergroup of Alice's with Bob in it."""
    channel, _ = data_centre.channels.create(alice, "Crowd", broadcast=False)
    data_centre.channels.invite(channel, alice, [bob])
    return channel


@pytest.fixture
async def client_of(data_centre: DataCentre) -> AsyncIterator[ClientOf]:
    """Connect a client logged in to an account; without one it has no key yet."""
    opened: list[Any] = []

    async def open_client(account: Account | None = None, **options: Any) -> Any:
        client = make_client(data_centre, account, **options)
        opened.append(client)
        await client.connect()
        return client

    yield open_client
    for client in opened:
        await client.disconnect()


@pytest.fixture
async def connect_raw(data_centre: DataCentre) -> AsyncIterator[ConnectRaw]:
    """Connect a client that speaks the bare protocol under a key made for an account."""
    opened: list[RawClient] = []

    async def connect(account: Account | None = None, like: RawClient | None = None) -> RawClient:
        key = like.key if like else data_centre.keys.make()
        if account:
            data_centre.keys.sign_in(key, account)
        raw = await RawClient.connect(data_centre, key, like.session_id if like else None)
        opened.append(raw)
        return raw

    yield connect
    for raw in opened:
        raw.hang_up()


def make_client(centre: DataCentre, account: Account | None = None, **options: Any) -> Any:
    """Make a client that is not connected yet; a session string may be given in the options."""
    string = options.pop("session", None)
    if string is None and account is not None:
        string = centre.session_string_for(account.phone)
    session = StringSession(string)
    if string is None:
        session.set_dc(centre.dc_id, centre.host, centre.port)
    defaults = {
        "timeout": PATIENCE,
        "retry_delay": 0.05,
        "connection_retries": 3,
        "flood_sleep_threshold": 0,
    }
    return TelegramClient(session, 1, "x", **(defaults | options))


@pytest.fixture
async def bystander(
    connect_raw: ConnectRaw, bob: Account, caplog: pytest.LogCaptureFixture
) -> Bystander:
    """Let a client of another account watch whether the data centre goes on working."""
    listen_for_errors(caplog)
    return Bystander(await connect_raw(bob), caplog)
