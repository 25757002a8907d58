"""A number behind a proxy: reached through it alone, told apart from Telegram when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.proxy.http_connect import HttpConnect
from sandbox.proxy.mtproxy import Mtproxy
from sandbox.proxy.server import Mode
from sandbox.proxy.socks5 import Socks5
from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from session_worker.protocol.proxy import parse_proxy
from session_worker.session import ConnectionLeftOpen
from tests.acceptance.session_worker.conftest import PHONE
from tests.acceptance.session_worker.number import HASTY, QUICK, Number
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.proxy.server import ProxyServer
    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.data_centre import DataCentre

KINDS = [
    "socks5",
    "socks5 with password",
    "http",
    "http with password",
    "mtproxy",
    "mtproxy dd",
    "mtproxy ee",
]
LINGERING = replace(QUICK, proxy_hold_limit=0.5, proxy_close_limit=0.1)


class Deafened(Socks5):
    """Does not hear that a client has ended its half."""

    passes_ends_on = False


class NamedForTls(Mtproxy):
    """Lets those in who do not hide in TLS, too, though its secret asks for that."""

    @property
    def url(self) -> str:
        secret = b"\xee" + self.secret + b"example.com"
        return f"mtproxy://{secret.hex()}@127.0.0.1:{self.port}"


def make(kind: str, telegram: DataCentre) -> ProxyServer:
    key = ("olena", "pass:w@rd%") if "password" in kind else (None, None)
    if kind.startswith("socks5"):
        return Socks5(*key)
    if kind.startswith("http"):
        return HttpConnect(*key)
    place = (telegram.host, telegram.port)
    if kind == "mtproxy ee":
        return NamedForTls(place)
    made = Mtproxy(place)
    made.is_padded = kind != "mtproxy"
    return made


@pytest.fixture
async def proxy(telegram: DataCentre, request: pytest.FixtureRequest) -> AsyncIterator[ProxyServer]:
    async with make(getattr(request, "param", "socks5"), telegram) as made:
        yield made


@pytest.fixture
async def behind(telegram: DataCentre, proxy: ProxyServer) -> AsyncIterator[Number]:
    """Give a number that is to be reached through the proxy."""
    made = Number(telegram, PHONE, proxy=parse_proxy(proxy.url, may_be_private=True))
    yield made
    if made.running is not None and not made.running.done():
        await made.account.stop()


def troubles(number: Number) -> list[TroubleCode]:
    said = [event.trouble for event in number.memory.events if isinstance(event, SessionChanged)]
    return [trouble.code for trouble in said if trouble is not None]


async def until_trouble(number: Number, code: TroubleCode) -> None:
    await eventually(lambda: code in troubles(number), awaited=f"{code}, has {troubles(number)}")


@pytest.mark.parametrize("proxy", KINDS, indirect=True)
async def test_messages_come_through_the_proxy_alone(
    behind: Number, proxy: ProxyServer, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Whatever the proxy speaks, the number is online and hears, on no connection but the proxy's."""
    await behind.start()

    write("through the proxy")

    await behind.until_texts("through the proxy")
    assert (
        sum(connection.is_open for connection in proxy.connections)
        == len(telegram.connections)
        == 1
    )
    await behind.stop()
    await eventually(lambda: not telegram.connections, awaited="the proxy has let go")


@pytest.mark.parametrize("proxy", ["socks5", "http", "mtproxy dd"], indirect=True)
async def test_dead_proxy_is_not_walked_around(
    behind: Number, proxy: ProxyServer, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """While the proxy is dead the number says so, waits for it, and then catches up."""
    await behind.start()
    await behind.until_place(telegram.account_of(PHONE).log.pts)

    await proxy.stop()
    write("while it was dead")
    await until_trouble(behind, TroubleCode.PROXY_UNREACHABLE)

    assert not telegram.connections
    await proxy.start()
    await behind.until_texts("while it was dead")
    await behind.until(SessionState.ONLINE)


@pytest.mark.parametrize(
    ("proxy", "mode", "code"),
    [
        ("socks5", Mode.REFUSE, TroubleCode.PROXY_REFUSED),
        ("http", Mode.REFUSE, TroubleCode.PROXY_REFUSED),
        ("mtproxy dd", Mode.REFUSE, TroubleCode.PROXY_REFUSED),
        ("socks5", Mode.HANG, TroubleCode.PROXY_UNREACHABLE),
        ("http", Mode.HANG, TroubleCode.PROXY_UNREACHABLE),
        ("mtproxy dd", Mode.HANG, TroubleCode.PROXY_UNAUTHORIZED),
        ("socks5", Mode.CUT, TroubleCode.PROXY_REFUSED),
        ("http", Mode.CUT, TroubleCode.PROXY_REFUSED),
        ("mtproxy dd", Mode.CUT, TroubleCode.PROXY_REFUSED),
    ],
    indirect=["proxy"],
)
async def test_proxys_fault_is_not_telegrams(
    behind: Number, proxy: ProxyServer, mode: Mode, code: TroubleCode
) -> None:
    """A proxy that refuses, hangs or hangs up is named as what fails; well again, it is used again."""
    behind.timing = HASTY
    behind.account = behind.make_account()
    proxy.mode = mode
    behind.running = behind.begin()

    await until_trouble(behind, code)

    assert TroubleCode.UNREACHABLE not in troubles(behind)
    proxy.mode = None
    await behind.until(SessionState.ONLINE)


async def test_telegrams_fault_is_not_the_proxys(
    behind: Number, proxy: ProxyServer, telegram: DataCentre
) -> None:
    """A silence behind a proxy that does its part is Telegram's."""
    behind.timing = HASTY
    behind.account = behind.make_account()
    await behind.start()

    telegram.afflict(Kind.BLACKHOLE, PHONE)

    await until_trouble(behind, TroubleCode.UNREACHABLE)
    assert sum(connection.is_open for connection in proxy.connections) <= 1


@pytest.mark.parametrize("kind", ["socks5 with password", "http with password", "mtproxy"])
@pytest.mark.parametrize("given", ["none", "wrong"])
async def test_wrong_password_is_told(telegram: DataCentre, kind: str, given: str) -> None:
    """A proxy that wants another password, or another secret, is told as just that."""
    async with make(kind, telegram) as proxy:
        opens = {"none": "", "wrong": "olena:wrong@"}[given]
        if kind == "mtproxy":
            opens = {"none": "00" * 16, "wrong": "dd" + "11" * 16}[given] + "@"
        url = f"{proxy.kind}://{opens}127.0.0.1:{proxy.port}"
        secret = parse_proxy(url, may_be_private=True)
        number = Number(telegram, PHONE, proxy=secret, timing=HASTY)
        number.running = number.begin()

        await until_trouble(number, TroubleCode.PROXY_UNAUTHORIZED)

        assert not telegram.connections
        await number.stop()


async def test_private_address_is_not_called(telegram: DataCentre) -> None:
    """What a client's proxy turns out to be is checked where the socket is opened."""
    async with Socks5() as proxy:
        secret = parse_proxy(f"socks5://localhost:{proxy.port}", may_be_private=False)
        number = Number(telegram, PHONE, proxy=secret)
        number.running = number.begin()

        await until_trouble(number, TroubleCode.PROXY_FORBIDDEN)

        assert not proxy.connections
        await number.stop()


async def test_cut_lines_never_overlap(
    behind: Number, proxy: ProxyServer, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Each line behind the proxy is gone before the next one begins, however it ended."""
    await behind.start()
    for text in ("first", "second"):
        proxy.cut()
        await behind.until(SessionState.RECONNECTING)
        write(text)
        await behind.until(SessionState.ONLINE)
    await behind.until_texts("first", "second")

    assert telegram.count_connections(PHONE).peak_per_key == 1


async def test_stop_tells_of_a_line_that_may_linger(telegram: DataCentre) -> None:
    """A proxy that does not end its half of the line may hold it: the supervisor is told so."""
    async with Deafened() as proxy:
        number = Number(
            telegram, PHONE, LINGERING, proxy=parse_proxy(proxy.url, may_be_private=True)
        )
        await number.start()

        await number.account.stop()

        assert number.running is not None
        with pytest.raises(ConnectionLeftOpen):
            await number.running


async def test_next_line_waits_for_one_that_may_linger(telegram: DataCentre) -> None:
    """While the proxy may hold the last line, no other is opened beside it."""
    async with Deafened() as proxy:
        timing = replace(
            LINGERING, connect_limit=4, request_limit=2, poll_limit=0.5, proxy_hold_limit=3600.0
        )
        number = Number(telegram, PHONE, timing, proxy=parse_proxy(proxy.url, may_be_private=True))
        await number.start()

        telegram.afflict(Kind.BLACKHOLE, PHONE)
        await number.until(SessionState.RECONNECTING)
        telegram.clear_faults()
        await asyncio.sleep(0)

        assert len(proxy.connections) == 1
        await number.kill()
