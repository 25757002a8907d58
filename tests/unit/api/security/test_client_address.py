"""Whose address a call counts for, behind proxies or not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import create_app
from api.security.authenticator import BURST
from api.security.client_address import NOWHERE, find_caller, neighbourhood, parse_proxies
from tests.unit.api.calls import bearer, start
from tests.unit.api.served import Served, serving, status_of

if TYPE_CHECKING:
    from api.settings import Settings
    from tests.fakes.gateway import FakeGateway

PROXY, CALLER, OTHER = "10.0.0.1", "198.51.100.7", "198.51.100.8"


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "caller"),
    [
        (CALLER, [], "", CALLER),
        (CALLER, [OTHER], "", CALLER),
        (CALLER, [OTHER], PROXY, CALLER),
        (PROXY, [], PROXY, PROXY),
        (PROXY, [CALLER], PROXY, CALLER),
        (PROXY, [CALLER], "10.0.0.0/8", CALLER),
        (PROXY, [f"{OTHER}, {CALLER}"], PROXY, CALLER),
        (PROXY, [OTHER, CALLER], PROXY, CALLER),
        (PROXY, [f"{OTHER}, {CALLER}, 10.0.0.2"], "10.0.0.0/8", CALLER),
        (PROXY, [f"{OTHER}, {CALLER}, 10.0.0.2"], PROXY, "10.0.0.2"),
        (PROXY, [f"10.9.9.9, {CALLER}"], "10.0.0.0/8", CALLER),
        (PROXY, ["10.0.0.3,10.0.0.2"], "10.0.0.0/8", "10.0.0.3"),
        (PROXY, ["unknown"], PROXY, PROXY),
        (PROXY, [f"{CALLER}, _hidden"], PROXY, PROXY),
        (PROXY, [f"{CALLER},"], PROXY, PROXY),
        (PROXY, [""], PROXY, PROXY),
        (PROXY, ["1.2.3.4.5", "\x00"], PROXY, PROXY),
        (PROXY, [f"{CALLER}:4711"], PROXY, CALLER),
        (PROXY, ['"[2001:db8::7]:4711"'], PROXY, "2001:db8::7"),
        (PROXY, ["[2001:db8::7]"], PROXY, "2001:db8::7"),
        (PROXY, ["2001:db8::7"], PROXY, "2001:db8::7"),
        ("fd00::1", ["2001:db8::7"], "fd00::/64", "2001:db8::7"),
        ("fd00:0:0:1::1", ["2001:db8::7"], "fd00::/64", "fd00:0:0:1::1"),
        ("::ffff:10.0.0.1", [f"::ffff:{CALLER}"], PROXY, CALLER),
        ("fe80::1%eth0", [CALLER], "fe80::/10", CALLER),
        (None, [CALLER], "", NOWHERE),
        (None, [CALLER], "127.0.0.1", NOWHERE),
        ("<local>", [CALLER], "unix", CALLER),
        (None, [CALLER], "127.0.0.1,unix", CALLER),
        (None, [f"{CALLER}, 127.0.0.1"], "127.0.0.1, unix", CALLER),
        (CALLER, [OTHER], "unix", CALLER),
    ],
)
def test_only_trusted_proxies_are_believed(
    peer: str | None, forwarded: list[str], trusted: str, caller: str
) -> None:
    """The first address from the right that is no proxy of ours is the caller's."""
    assert find_caller(peer, forwarded, parse_proxies(trusted)) == caller


@given(written=st.text())
def test_caller_can_not_choose_its_address(written: str) -> None:
    """Whatever the caller writes, what the proxy has added counts."""
    assert find_caller(PROXY, [f"{written}, {CALLER}"], parse_proxies(PROXY)) == CALLER


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        (CALLER, OTHER, False),
        (NOWHERE, NOWHERE, True),
    ],
)
def test_guesses_are_counted_for_a_subscriber(one: str, other: str, is_same: bool) -> None:
    """A subscriber of IPv6 has a network of addresses, not as many free guesses."""
    assert (neighbourhood(one) == neighbourhood(other)) is is_same


@pytest.mark.parametrize("text", ["*", "all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy", "1.2.3"])
def test_trust_must_be_in_addresses(text: str) -> None:
    """Neither names nor the whole world are trusted."""
    with pytest.raises(ValueError, match=r"."):
        parse_proxies(f"{PROXY},{text}")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Remote-Addr"])
@pytest.mark.usefixtures("autojump_clock")
async def test_guesser_does_not_escape_by_a_header(
    settings: Settings, gateway: FakeGateway, header: str
) -> None:
    """Who is no proxy of ours is slowed down whatever addresses it makes up."""
    async with create_app(settings, gateway).test_app() as app:
        client, scope = app.test_client(), {"client": (CALLER, 1)}
        seen = []
        for guess in range(BURST + 1):
            headers = {**bearer("wrong"), header: f"192.0.2.{guess}"}
            refused = await client.get("/numbers", headers=headers, scope_base=scope)
            seen.append(refused.status_code)

    assert seen == [401] * BURST + [429]


@pytest.mark.usefixtures("autojump_clock")
async def test_guesser_slows_down_itself_alone(
    settings: Settings, gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind a trusted proxy only the guesser's address waits, the log tells which it is."""
    trusting = settings.model_copy(update={"trusted_proxies": "10.0.0.0/8"})
    async with create_app(trusting, gateway).test_app() as app:
        client, scope = app.test_client(), {"client": (PROXY, 1)}
        token = await start(client)

        async def guess(key: str, forwarded: str) -> int:
            headers = {**bearer(key), "X-Forwarded-For": forwarded}
            path = "/numbers/380955821319"
            return (await client.get(path, headers=headers, scope_base=scope)).status_code

        for number in range(BURST):
            await guess("wrong", f"192.0.2.{number}, {CALLER}")

        seen = [await guess("wrong", CALLER), await guess("wrong", OTHER)]
        seen.append(await guess(token, CALLER))

    assert seen == [429, 401, 200]
    assert [line.getMessage() for line in caplog.records if line.levelname == "WARNING"] == [
        f"too many wrong keys from {CALLER}"
    ]


async def test_proxy_on_a_unix_socket(
    settings: Settings, gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """A peer without an address is believed if `unix` is trusted, else all of them are one caller."""
    for trusted in ("unix", "127.0.0.1"):
        trusting = settings.model_copy(update={"trusted_proxies": trusted})
        with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
            async with serving(trusting, gateway, unix=Path(folder) / "s") as served:
                await guess_until_refused(served)

    told = [line.getMessage().split()[-1] for line in caplog.records if "keys" in line.msg]
    assert list(dict.fromkeys(told)) == [CALLER, NOWHERE]


async def guess_until_refused(served: Served) -> None:
    for count in range(10 * BURST):  # what was counted fades while we guess
        forwarded = f"X-Forwarded-For: 192.0.2.{count % 250}, {CALLER}".encode()
        if status_of(await served.get("/numbers", b"Token: wrong", forwarded)) == 429:
            return
    raise AssertionError("guesses go on and on")
