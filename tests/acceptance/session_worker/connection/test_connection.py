"""A number gets its line back when it can, says so when it can't, never has two."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from telethon.tl import functions, types

from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from session_worker.telegram.errors import FloodWait, LeaseLost, TemporarilyFailed, Unreachable
from tests.acceptance.session_worker.conftest import PHONE
from tests.acceptance.session_worker.number import HASTY, Number
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.data_centre import DataCentre

GET_STATE = functions.updates.GetStateRequest()
WHO_AM_I = functions.users.GetUsersRequest([types.InputUserSelf()])


@pytest.fixture
def hasty(number: Number) -> Number:
    """Give a number that soon gives up a line on which nothing comes."""
    number.timing = HASTY
    number.account = number.make_account()
    return number


async def test_a_new_line_announces_the_layer(number: Number, telegram: DataCentre) -> None:
    """Telegram forgets the layer with the line; without it answers come in an old shape."""
    await number.start()
    (key,) = telegram.keys.of_account(telegram.account_of(PHONE))

    telegram.cut(PHONE)
    await number.until(SessionState.RECONNECTING)
    await number.until(SessionState.ONLINE)

    live = [session for session in key.sessions.values() if session.connection]
    assert [(session.layer is not None, session.wants_updates) for session in live] == [
        (True, True)
    ]


async def test_a_half_open_line_is_noticed_by_the_poll(
    hasty: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """A far end that is gone without a word is found by a poll that stays without an answer."""
    number = hasty
    await number.start()
    await number.until_place(telegram.account_of(PHONE).log.pts)

    telegram.afflict(Kind.BLACKHOLE, PHONE)
    write("unheard")
    await number.until(SessionState.RECONNECTING)
    telegram.clear_faults()

    await number.until_texts("unheard")
    await number.until(SessionState.ONLINE)


async def test_one_key_never_has_two_connections(hasty: Number, telegram: DataCentre) -> None:
    """Cuts, half-open lines, refusals, restarts: the old line is gone before the new one is."""
    number = hasty
    await number.start()
    for _ in range(5):
        telegram.cut(PHONE)
        await number.until(SessionState.RECONNECTING)
        await number.until(SessionState.ONLINE)
    telegram.afflict(Kind.BLACKHOLE, PHONE)
    await number.until(SessionState.RECONNECTING)
    telegram.clear_faults()
    await number.until(SessionState.ONLINE)
    telegram.afflict(Kind.CUT, PHONE, seconds=0.5)
    await number.until(SessionState.RECONNECTING)
    await number.until(SessionState.ONLINE)
    await number.kill()
    await number.start_again()

    count = telegram.count_connections(PHONE)
    assert (count.open, count.peak_per_key) == (1, 1)


async def test_an_outage_is_outlived(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """While Telegram is gone attempts go on, with the reason told; then all is as before."""
    await number.start()
    await number.until_place(telegram.account_of(PHONE).log.pts)
    port = telegram.port

    await telegram.stop()
    await number.until(SessionState.RECONNECTING)
    write("during the outage")
    await telegram.start(port=port)

    await number.until_texts("during the outage")
    troubles = [e.trouble for e in number.memory.events if isinstance(e, SessionChanged)]
    assert {t.code for t in troubles if t} == {TroubleCode.UNREACHABLE}


async def test_a_refused_connection_is_told_as_that(number: Number, telegram: DataCentre) -> None:
    """Where the connection was to go and why there is none, not how often it was tried."""
    await telegram.stop()

    await number.start(SessionState.RECONNECTING)

    change = number.memory.events[-1]
    assert isinstance(change, SessionChanged)
    assert change.trouble is not None
    assert change.trouble.code is TroubleCode.UNREACHABLE
    assert f"no connection to {telegram.host}:{telegram.port}: " in change.trouble.detail
    assert "time(s)" not in change.trouble.detail


async def test_trouble_at_telegram_is_outlived(number: Number, telegram: DataCentre) -> None:
    """A 5xx at the first connection is no reason to give up."""
    telegram.fail("INTERDC_2_CALL_ERROR", method="help.getConfig", times=1)

    await number.start()

    assert SessionState.RECONNECTING in number.memory.states


async def test_a_transport_flood_is_waited_out(telegram: DataCentre) -> None:
    """After -429 nothing is sent for a minute; the state says for how long."""
    connections = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(1)
        frame = struct.pack("<iii", 16, 0, -429)
        writer.write(frame + struct.pack("<I", crc32(frame)))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        number = Number(telegram, PHONE)
        telegram_port, telegram.port = telegram.port, server.sockets[0].getsockname()[1]
        number.account = number.make_account()
        telegram.port = telegram_port

        await number.start(SessionState.RECONNECTING)
        await number.stop()

    change = number.memory.events[-1]
    assert isinstance(change, SessionChanged)
    assert change.trouble is not None
    assert change.trouble.code is TroubleCode.REJECTED
    assert (change.trouble.retry_after or 0) >= 60
    assert connections == 1


async def test_a_request_has_a_time_limit(hasty: Number, telegram: DataCentre) -> None:
    """No answer is an answer: unknown, after the limit."""
    await hasty.start()
    telegram.afflict(Kind.SLOW, PHONE, seconds=3600)

    with pytest.raises(Unreachable):
        await asyncio.wait_for(hasty.account.ask(GET_STATE), PATIENCE)


async def test_a_request_under_way_ends_with_its_line(number: Number, telegram: DataCentre) -> None:
    """Nobody waits for an answer that can't come any more."""
    await number.start()
    telegram.afflict(Kind.SLOW, PHONE, seconds=3600)
    asked = asyncio.create_task(number.account.ask(GET_STATE))
    await asyncio.sleep(0.05)

    telegram.cut(PHONE)

    with pytest.raises(Unreachable):
        await asyncio.wait_for(asked, PATIENCE)


async def test_without_a_line_a_request_fails_at_once(number: Number) -> None:
    """What to do about it is decided where the request came from."""
    with pytest.raises(Unreachable):
        await number.account.ask(GET_STATE)


async def test_a_flood_wait_is_told_not_slept(number: Number, telegram: DataCentre) -> None:
    """Waits are scheduled by us, so they come back at once with their seconds."""
    await number.start()
    telegram.fail("FLOOD_WAIT_7", phone=PHONE, method="users.getUsers", times=1)

    with pytest.raises(FloodWait) as refused:
        await asyncio.wait_for(number.account.ask(WHO_AM_I), PATIENCE)

    assert refused.value.seconds == 7
    assert await number.account.ask(WHO_AM_I)


async def test_telegrams_own_trouble_is_told_as_passing(
    number: Number, telegram: DataCentre
) -> None:
    """A 5xx comes back at once: whether to repeat it is decided where the request came from."""
    await number.start()
    telegram.fail("INTERDC_2_CALL_ERROR", phone=PHONE, method="users.getUsers")

    with pytest.raises(TemporarilyFailed):
        await asyncio.wait_for(number.account.ask(WHO_AM_I), PATIENCE)


async def test_without_a_lease_nothing_is_written(number: Number, telegram: DataCentre) -> None:
    """A worker whose right has ended stops before the next byte leaves."""
    await number.start()
    assert number.running is not None
    (key,) = telegram.keys.of_account(telegram.account_of(PHONE))
    (session,) = (session for session in key.sessions.values() if session.connection)
    seen = len(session._seen)

    number.right.lasts = False
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(number.running, PATIENCE)

    assert len(session._seen) == seen
    await eventually(lambda: not telegram.connections)


async def test_stopping_leaves_no_line(number: Number, telegram: DataCentre) -> None:
    """After a stop Telegram sees nobody, and the account ends in peace."""
    await number.start()

    await asyncio.wait_for(number.stop(), PATIENCE)

    await eventually(lambda: not telegram.connections)


async def test_a_crash_in_the_store_ends_the_account(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """An update that can't be stored is not skipped: the worker ends, its supervisor decides."""
    await number.start()
    assert number.running is not None
    number.failure = OSError("disk full")

    write("too much")

    with pytest.raises(OSError, match="disk full"):
        await asyncio.wait_for(number.running, PATIENCE)
    await eventually(lambda: not telegram.connections)
