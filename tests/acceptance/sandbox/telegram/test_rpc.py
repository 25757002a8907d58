"""How requests are run: in order, beside each other, with their failures answered."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from telethon import functions
from telethon.tl import types

from sandbox.telegram.protocol.rpc import METHODS, Call, method
from tests.acceptance.sandbox.telegram.hearing import address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw

GET_STATE = functions.updates.GetStateRequest()
WAITING = functions.help.GetSupportNameRequest()
FAILING = functions.help.GetSupportRequest()


@pytest.fixture
def gate() -> Iterator[asyncio.Event]:
    """Register a method that waits for the gate, another that fails."""
    gate = asyncio.Event()

    @method(type(WAITING))
    async def wait(_call: Call, _request: Any) -> Any:
        await gate.wait()
        return types.help.SupportName("waited")

    @method(type(FAILING))
    def fail(_call: Call, _request: Any) -> Any:
        raise ZeroDivisionError

    yield gate
    del METHODS[type(WAITING)], METHODS[type(FAILING)]


async def test_waiting_request_holds_up_nobody(
    client_of: ClientOf, alice: Account, gate: asyncio.Event
) -> None:
    """A request that waits is answered later than those that came after it."""
    client = await client_of(alice)
    waiting = asyncio.ensure_future(client(WAITING))

    assert await client(GET_STATE)
    was_done = waiting.done()
    gate.set()

    assert not was_done
    assert (await waiting).name == "waited"


async def test_ordered_request_waits_for_the_one_before(
    connect_raw: ConnectRaw, alice: Account, bob: Account, gate: asyncio.Event
) -> None:
    """A request invoked after another is carried out when that one is done."""
    raw = await connect_raw(alice)
    send = functions.messages.SendMessageRequest(address(alice, bob), "after", random_id=1)

    first = raw.send(WAITING)
    second = raw.send(functions.InvokeAfterMsgRequest(first, send))
    await raw.answer_to(raw.send(GET_STATE))
    before = len(bob.box)
    gate.set()
    await raw.answer_to(second)

    assert (before, len(bob.box)) == (0, 1)


async def test_failing_handler_is_logged(
    connect_raw: ConnectRaw, alice: Account, gate: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in a handler is answered with 500, shown in the log, ends nothing else."""
    raw = await connect_raw(alice)

    failed = await raw.answer_to(raw.send(FAILING))

    assert failed.error == types.RpcError(500, "INTERNAL")
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert (await raw.answer_to(raw.send(GET_STATE))).error is None


async def test_stopping_ends_what_waits(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, gate: asyncio.Event
) -> None:
    """A data centre that stops takes its waiting requests with it."""
    raw = await connect_raw(alice)
    raw.send(WAITING)
    await raw.answer_to(raw.send(GET_STATE))

    await data_centre.stop()

    assert not data_centre.connections
    assert await raw.is_hung_up_on()


async def test_stranger_is_refused(connect_raw: ConnectRaw) -> None:
    """Without a login only the methods for strangers answer."""
    raw = await connect_raw()

    refused = await raw.answer_to(raw.send(GET_STATE))
    config = await raw.answer_to(raw.send(functions.help.GetNearestDcRequest()))

    assert refused.error == types.RpcError(401, "AUTH_KEY_UNREGISTERED")
    assert config.error is None
