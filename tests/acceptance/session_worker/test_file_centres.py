"""Lines to other data centres keep the rules of the account's own: limits, lease, one for a key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from sandbox.telegram.addresses import HOME_DC, OTHER_DC
from sandbox.telegram.data_centre import DataCentre
from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionState
from session_worker.telegram.connection.account import TelegramAccount
from session_worker.telegram.errors import (
    FloodWait,
    LeaseLost,
    Refused,
    TemporarilyFailed,
    Unreachable,
)
from tests.acceptance.session_worker.conftest import PHONE
from tests.acceptance.session_worker.number import HASTY_ELSEWHERE, SELDOM, Number, assignment
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.telegram.protocol.connection import Connection

NOWHERE = types.InputDocumentFileLocation(1, 2, b"x", "")


async def ask(number: Number, dc_id: int = OTHER_DC) -> None:
    """Ask for a file that is not there, which only an open line with a login can tell."""
    with pytest.raises(Refused, match="FILE_ID_INVALID"):
        await number.account.ask_at(dc_id, functions.upload.GetFileRequest(NOWHERE, 0, 4096))


def lines(telegram: DataCentre, dc_id: int = OTHER_DC) -> list[Connection]:
    return [line for line in telegram.connections if line.address.dc_id == dc_id]


async def test_many_who_ask_share_one_line(number: Number, telegram: DataCentre) -> None:
    """However many ask at once, one line is opened, under one login carried over."""
    await number.start()

    await asyncio.gather(*(ask(number) for _ in range(10)))

    assert len(lines(telegram)) == 1
    assert len(telegram.keys_at(OTHER_DC).of_account(telegram.account_of(PHONE))) == 1


async def test_the_own_data_centre_is_asked_on_the_own_line(
    number: Number, telegram: DataCentre
) -> None:
    """The account's key never has a second line, whatever is asked where."""
    await number.start()

    await ask(number, HOME_DC)

    assert len(lines(telegram, HOME_DC)) == 1
    assert telegram.count_connections(PHONE).peak_per_key == 1


async def test_an_idle_line_is_closed_and_its_key_used_again(
    telegram: DataCentre, number: Number
) -> None:
    """A line nobody uses is given up; the next goes on under the same login."""
    number.timing = replace(SELDOM, idle_limit=0.1)
    number.account = number.make_account()
    await number.start()
    await ask(number)
    await eventually(lambda: not lines(telegram), awaited="the idle line's end")

    await ask(number)

    (key,) = telegram.keys_at(OTHER_DC).of_account(telegram.account_of(PHONE))
    assert key.refusal is None


async def test_a_line_that_can_not_be_opened_is_given_up(
    number: Number, telegram: DataCentre
) -> None:
    """A data centre that takes connections and says nothing costs a limited time, leaves nothing."""
    number.timing = HASTY_ELSEWHERE
    number.account = number.make_account()
    await number.start()
    telegram.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)

    with pytest.raises(Unreachable, match=f"data centre {OTHER_DC}: no connection within"):
        await number.account.ask_at(OTHER_DC, functions.help.GetConfigRequest())

    await eventually(lambda: not lines(telegram), awaited="no line")
    assert number.memory.state is SessionState.ONLINE


async def test_a_silent_line_is_replaced(number: Number, telegram: DataCentre) -> None:
    """A line that stops answering is given up with the request, the next one works."""
    number.timing = HASTY_ELSEWHERE
    number.account = number.make_account()
    await number.start()
    await ask(number)
    telegram.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    with pytest.raises(Unreachable, match=f"data centre {OTHER_DC}: no answer within"):
        await number.account.ask_at(OTHER_DC, functions.help.GetConfigRequest())

    telegram.clear_faults()

    await ask(number)
    assert len(lines(telegram)) == 1


async def test_without_a_lease_nothing_is_written_elsewhere(
    number: Number, telegram: DataCentre
) -> None:
    """A worker whose right has ended writes to no data centre; the account ends at once."""
    number.timing = SELDOM
    number.account = number.make_account()
    await number.start()
    await ask(number)
    telegram.fail("TIMEOUT", method="upload.getFile", times=1)

    number.right.lasts = False
    asking = asyncio.create_task(
        number.account.ask_at(OTHER_DC, functions.upload.GetFileRequest(NOWHERE, 0, 4096))
    )

    assert number.running is not None
    with pytest.raises(LeaseLost):
        await number.running
    with pytest.raises(Unreachable):
        await asking
    assert telegram.faults.next_error(PHONE, "upload.getfile"), "the request has arrived"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("FLOOD_WAIT_30", FloodWait),
        ("DC_ID_INVALID", TemporarilyFailed),
        ("AUTH_KEY_UNREGISTERED", TemporarilyFailed),
    ],
)
async def test_a_login_that_is_not_carried_over_loses_nothing(
    number: Number, telegram: DataCentre, fault: str, error: type[Exception]
) -> None:
    """Trouble on the way to another data centre is no answer about the file."""
    await number.start()
    telegram.fail(fault, method="auth.exportAuthorization", times=1)

    with pytest.raises(error):
        await number.account.ask_at(OTHER_DC, functions.help.GetConfigRequest())

    await ask(number)


async def test_a_data_centre_nobody_names_is_told(number: Number) -> None:
    """A data centre without an address is trouble that is told, not a failure of ours."""
    await number.start()

    with pytest.raises(TemporarilyFailed, match="no address of data centre 5"):
        await number.account.ask_at(5, functions.help.GetConfigRequest())


@pytest.fixture
async def stranger() -> AsyncIterator[DataCentre]:
    """Give a data centre whose key is new: Telethon goes on trusting those of other tests."""
    async with DataCentre() as centre:
        centre.add_account(PHONE, "Olena")
        yield centre


async def test_an_unknown_server_is_not_trusted(stranger: DataCentre) -> None:
    """Without a configured key only Telegram's own servers are believed."""
    number = Number(stranger, PHONE)
    own: Any = assignment(stranger, PHONE, number.memory.session)
    real = own.model_copy(update={"data_centre": None})
    number.account = TelegramAccount(
        real, number.memory, number.right, on_update=number._store, timing=number.timing
    )
    await number.start()

    with pytest.raises(Unreachable, match="no key was agreed on"):
        await number.account.ask_at(OTHER_DC, functions.help.GetConfigRequest())

    await number.stop()
    assert stranger.keys_at(OTHER_DC).of_account(stranger.account_of(PHONE)) == []


async def test_nothing_is_opened_after_the_end(number: Number, telegram: DataCentre) -> None:
    """Who asks while the account's line ends gets no line that nobody would close."""
    await number.start()
    line = number.account._connection
    assert line is not None
    await number.stop()

    with pytest.raises(Unreachable):
        await line._file_centres.ask(OTHER_DC, functions.help.GetConfigRequest())

    assert not telegram.connections
