"""A number behind a proxy, over HTTP, with a real worker and the sandbox's proxies."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.acceptance.api.operator import ADMIN_KEY
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

USER, PASSWORD = "user-of-the-proxy", "password-of-the-proxy"


async def change(server: Server, operator: Operator, number: str, **fields: Any) -> str:
    body = {"number": number, **fields}
    response = await operator.call(server, "PUT", "/webhook?wait=30", ADMIN_KEY, body)
    assert response.status_code == 200, response.text
    return str(response.json()["state"])


@pytest.mark.parametrize("kind", ["socks5", "http", "mtproxy"])
async def test_proxy_comes_and_goes(
    server: Server, operator: Operator, number: str, kind: str
) -> None:
    """A number gets a proxy, another, none, never on two lines; what opens a proxy is told to nobody."""
    addresses = await operator._control("PUT", "/proxy", username=USER, password=PASSWORD)
    await operator.bring_session(number)
    started = await operator.start(server, number, name_session=number, proxy=addresses[kind])
    assert (started.status_code, started.json()["state"]) == (201, "online"), started.text

    shown = await operator.show(server, number, started.json()["token"])
    states = [await change(server, operator, number, proxy=addresses["socks5"])]
    through = await operator._control("GET", "/proxy/connections")
    states.append(await change(server, operator, number, proxy=None))
    after = await operator._control("GET", "/proxy/connections")

    port = int(addresses[kind].rpartition(":")[2])
    assert shown.json()["proxy"] == {"kind": kind, "host": "127.0.0.1", "port": port}
    assert states == ["online", "online"]
    assert (through["open"], through["total"], after["open"]) == (1, 2, 0)
    assert (await operator.connections(number))["peak_per_key"] == 1
    said = shown.text + server.log.read_text()
    secret = addresses["mtproxy"].partition("://")[2].partition("@")[0]
    assert [each for each in (USER, PASSWORD, secret, secret[2:]) if each in said] == []


async def test_trouble_of_the_proxy_is_told(
    server: Server, operator: Operator, number: str
) -> None:
    """Who must do what about the proxy stands in `last_error`, which goes when it works again."""
    addresses = await operator._control("PUT", "/proxy")
    await operator.bring_session(number)
    await operator._control("POST", "/proxy/faults", mode="refuse")
    started = await operator.start(server, number, name_session=number, proxy=addresses["socks5"])
    token = started.json()["token"]

    async def error() -> str | None:
        told = (await operator.show(server, number, token)).json()["last_error"]
        return told and str(told["code"])

    async def is_refused() -> bool:
        return await error() == "proxy_refused"

    async def is_well() -> bool:
        return await error() is None

    await eventually(is_refused, awaited="proxy_refused")
    assert (await operator.connections(number))["open"] == 0
    await operator._control("DELETE", "/proxy/faults")
    await eventually(is_well, 60, awaited="no error")


async def test_login_goes_through_the_proxy(
    server: Server, operator: Operator, number: str
) -> None:
    """Already the code is asked for through the proxy, and so is the login's end."""
    addresses = await operator._control("PUT", "/proxy")
    await operator.open_account(number)
    await operator.start(server, number, proxy=addresses["socks5"])

    begun = await operator.call(
        server, "POST", f"/numbers/{number}/login", ADMIN_KEY, {"method": "code"}
    )

    through = await operator._control("GET", "/proxy/connections")
    assert begun.status_code == 202, begun.text
    assert through["open"] == 1


async def test_killed_worker_is_followed_when_its_line_is_gone(
    server: Server, operator: Operator, number: str
) -> None:
    """The next worker waits until the proxy can't hold the old line any more, then is online."""
    addresses = await operator._control("PUT", "/proxy")
    await operator.bring_session(number)
    started = await operator.start(server, number, name_session=number, proxy=addresses["socks5"])
    token = started.json()["token"]
    pid = (await operator.show(server, number, token)).json()["worker"]["pid"]

    psutil.Process(pid).send_signal(signal.SIGKILL)

    async def is_back() -> bool:
        worker = (await operator.show(server, number, token)).json()["worker"]
        is_online = await operator.state(server, number, token) == "online"
        return bool(worker) and worker["pid"] != pid and is_online

    await eventually(is_back, 60, awaited="the next worker is online")
    assert (await operator.connections(number))["peak_per_key"] == 1
