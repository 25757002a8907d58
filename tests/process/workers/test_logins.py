"""Logins at a gateway with real workers, a data centre in the test's own process."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.data_centre import DataCentre
from sandbox.telegram.faults import Kind
from supervisor.config import Config, TelegramDataCentre
from supervisor.errors import (
    CodeInvalid,
    LinkDead,
    LoggedInAlready,
    LoginFlood,
    NotLoggedIn,
    NotLoggingIn,
    NumberUnknown,
)
from supervisor.login.login_service import LoginLinks, LoginMethod
from tests.process.workers.conftest import RunningGateway, make_gateway
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PHONE = "380501112233"
OTHER = "380671112233"
CODE, QR = LoginMethod.CODE, LoginMethod.QR


@pytest.fixture
async def telegram() -> AsyncIterator[DataCentre]:
    async with DataCentre() as centre:
        centre.add_account(PHONE, "Olena")
        centre.add_account(OTHER, "Taras")
        yield centre


@pytest.fixture
def config(tmp_path: Path, telegram: DataCentre) -> Config:
    place = TelegramDataCentre(telegram.host, telegram.port, telegram.public_key_pem)
    return Config(
        data_dir=tmp_path,
        session_root=tmp_path / "sessions",
        api_id=1,
        api_hash="hash",
        data_centre=place,
        language="en",
        session_factory="tests.fakes.account:make_account",
    )


async def log_in(house: RunningGateway, telegram: DataCentre, number: str = PHONE) -> None:
    await house.gateway.logins.begin(number, CODE, "operator")
    code = telegram.account_of(number).code
    progress = await house.gateway.logins.enter_code(number, code)
    assert progress.state == "online"


async def test_look_never_falls_between_two_logins(
    config: Config, sqlite_url: str, telegram: DataCentre
) -> None:
    """While a login is begun anew, who watches it sees the old one or the new one, never none."""
    async with make_gateway(config, sqlite_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(PHONE)
        await gateway.logins.begin(PHONE, QR, "operator")
        beginning = asyncio.create_task(gateway.logins.begin(PHONE, QR, "operator"))
        while not beginning.done():
            assert (await gateway.logins.watch(PHONE)).is_open
        await beginning


async def test_abandoned_login_leaves_nothing(
    config: Config, sqlite_url: str, telegram: DataCentre
) -> None:
    """A login nobody goes on with ends by itself: no worker, no line, no code, words that say so."""
    hasty = replace(config, login_patience=2.0)
    async with make_gateway(hasty, sqlite_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(PHONE)
        await gateway.logins.begin(PHONE, CODE, "operator")

        view = await house.until(PHONE, "needs_login")
        await house.until_true(PHONE, lambda view: view.worker is None, "without a worker")

        assert view.last_error is not None
        assert view.last_error.code == "login_abandoned"
        with pytest.raises(NotLoggingIn):
            await gateway.logins.enter_code(PHONE, telegram.account_of(PHONE).code)
        assert not telegram.connections
        assert not telegram.logins._codes


async def test_unwatched_qr_code_ends(config: Config, sqlite_url: str) -> None:
    """A QR code whose page is gone is not renewed for ever."""
    hasty = replace(config, qr_patience=2.0)
    async with make_gateway(hasty, sqlite_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(PHONE)
        begun = await gateway.logins.begin(PHONE, QR, "operator")

        await house.until_true(PHONE, lambda view: view.worker is None, "without a worker")

        assert begun.qr is not None
        assert not (await gateway.logins.watch(PHONE)).is_open


async def test_lost_session_goes_on_where_it_stopped(
    house: RunningGateway, telegram: DataCentre
) -> None:
    """After a revocation and a new login the number has the place in the updates it had before."""
    await house.add(PHONE)
    await log_in(house, telegram)
    sessions = house.gateway._store.sessions

    async def has_place() -> bool:
        held = await sessions.load(PHONE)
        return bool(held and held.updates)

    await eventually(has_place)
    before = await sessions.load(PHONE)
    telegram.afflict(Kind.REVOKE, PHONE)
    telegram.cut()
    lost = await house.until(PHONE, "needs_login")

    await log_in(house, telegram)

    after = await sessions.load(PHONE)
    assert lost.last_error is not None
    assert lost.last_error.code == "session_revoked"
    assert before is not None
    assert before.updates is not None
    assert after is not None
    assert after.updates is not None
    assert after.auth_key != before.auth_key
    assert after.updates.pts >= before.updates.pts


async def test_banned_number_may_log_in_later(house: RunningGateway, telegram: DataCentre) -> None:
    """A ban ends the login and is told; once it is lifted a login brings the number back."""
    await house.add(PHONE)
    await log_in(house, telegram)
    telegram.afflict(Kind.BAN, PHONE)
    telegram.cut()
    banned = await house.until(PHONE, "banned")
    telegram.clear_faults()

    await log_in(house, telegram)

    assert banned.last_error is not None
    assert banned.last_error.code == "account_banned"


async def test_stop_in_the_middle_of_a_login(house: RunningGateway, telegram: DataCentre) -> None:
    """A number that is stopped stops; whoever waits for its login is told, nothing is left."""
    await house.add(PHONE)
    await house.gateway.logins.begin(PHONE, CODE, "operator")

    await house.gateway.stop(PHONE)

    with pytest.raises(NotLoggingIn):
        await house.gateway.logins.enter_code(PHONE, "1")
    assert (await house.gateway.show(PHONE)).state == "stopped"
    await eventually(lambda: not telegram.connections)


async def test_killed_login_ends_in_needs_login(
    house: RunningGateway, telegram: DataCentre
) -> None:
    """A login's worker that dies is not replaced by another login, the next one starts clean."""
    await house.add(PHONE)
    await house.gateway.logins.begin(PHONE, CODE, "operator")

    os.kill(await house.pid(PHONE), signal.SIGKILL)

    await house.until(PHONE, "needs_login", restarts=1)
    await log_in(house, telegram)


async def test_refusals_are_errors_of_their_own(
    house: RunningGateway, telegram: DataCentre
) -> None:
    """What can go wrong with a login is told apart by type."""
    logins = house.gateway.logins
    with pytest.raises(NumberUnknown):
        await logins.begin(PHONE, CODE, "operator")
    await house.add(PHONE)
    with pytest.raises(NotLoggedIn):
        await house.gateway.sessions.export(PHONE)
    telegram.fail("FLOOD_WAIT_77", method="auth.sendCode", times=1)
    with pytest.raises(LoginFlood) as flood:
        await logins.begin(PHONE, CODE, "operator")
    await logins.begin(PHONE, CODE, "operator")
    with pytest.raises(CodeInvalid):
        await logins.enter_code(PHONE, "1")
    await logins.enter_code(PHONE, telegram.account_of(PHONE).code)
    with pytest.raises(LoggedInAlready):
        await logins.begin(PHONE, CODE, "operator")

    assert flood.value.retry_after == 77


async def test_purge_logs_out(house: RunningGateway, telegram: DataCentre) -> None:
    """Purged, a number is logged out at Telegram, whether it was online or stopped before."""
    for number, stop_first in ((PHONE, False), (OTHER, True)):
        await house.add(number)
        await log_in(house, telegram, number)
        if stop_first:
            await house.gateway.stop(number)

        await house.gateway.stop(number, purge=True)

        assert telegram.keys.of_account(telegram.account_of(number)) == []
    actions = [entry.action for entry in await house.gateway.audit.list(None, None, 100)]
    assert actions == ["logged_out", "logged_in"] * 2


async def test_purge_goes_on_without_telegram(house: RunningGateway, telegram: DataCentre) -> None:
    """A data centre that refuses keeps nobody's data here; the audit log says what is left there."""
    await house.add(PHONE)
    await log_in(house, telegram)
    telegram.fail("INTERNAL", method="auth.logOut")

    await house.gateway.stop(PHONE, purge=True)

    assert await house.gateway.numbers() == ()
    newest, *_ = await house.gateway.audit.list(PHONE, None, 1)
    assert newest.action == "log_out_failed"


async def test_link_ends_with_its_time(config: Config, sqlite_url: str) -> None:
    """A link is dead once its time is over, and at once when it was never given out."""
    async with make_gateway(config, sqlite_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(PHONE)
        link = await gateway.links.make(PHONE)
        opened = await gateway.links.open(link.secret)

        expired = LoginLinks(gateway._store, replace(config, link_lifetime=0.0))
        late = await expired.make(PHONE)

        with pytest.raises(LinkDead):
            await gateway.links.open(late.secret)
        assert (opened.number, opened.is_used) == (PHONE, False)
        with pytest.raises(LinkDead):
            await gateway.links.open("made-up")
        with pytest.raises(NumberUnknown):
            await gateway.links.make(OTHER)


async def test_link_outlives_a_restart(config: Config, sqlite_url: str) -> None:
    """A link that was sent to a client works after the gateway was started anew."""
    async with make_gateway(config, sqlite_url) as first:
        await RunningGateway(first).add(PHONE)
        link = await first.links.make(PHONE)

    async with make_gateway(config, sqlite_url) as second:
        assert (await second.links.open(link.secret)).number == PHONE
