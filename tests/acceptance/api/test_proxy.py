"""A number behind a proxy, over HTTP, with a real worker and the sandbox's proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.acceptance.api import stage
from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.operator import ADMIN_KEY, CLIENT
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

sandbox, settings = stage.sandbox, stage.settings
server, operator = stage.server, stage.operator
USER, PASSWORD = "user-of-the-proxy", "password-of-the-proxy"


@pytest_asyncio.fixture(loop_scope="session")
async def number(server: Server, operator: Operator) -> AsyncIterator[str]:
    """Give a number that leaves no connection behind at the proxies, which all tests share."""
    given = str(next(NUMBERS))
    yield given
    named = {"name": CLIENT, "number": given}
    await operator.call(server, "DELETE", "/webhook", ADMIN_KEY, named)

    async def are_gone() -> bool:
        return not (await operator._control("GET", "/proxy/connections"))["open"]

    await eventually(are_gone, awaited="no connection at the proxies")


async def change(server: Server, operator: Operator, number: str, **fields: Any) -> str:
    body = {"number": number, **fields}
    response = await operator.call(server, "PUT", "/webhook?wait=60", ADMIN_KEY, body)
    assert response.status_code == 200, response.text
    return str(response.json()["state"])


async def delivered(operator: Operator, number: str) -> None:
    """Let somebody write to the number; wait until Planfix has it."""
    opens = {"planfix_token": "planfix-token-of-romashka", "provider_id": "telegram"}
    await operator._control("PUT", "/planfix/romashka", **opens)
    await operator.open_account(f"{number}1")
    await operator.write(f"{number}1", number, "through the proxy")

    async def has_come() -> bool:
        return bool(await operator._control("GET", "/planfix/romashka/messages"))

    await eventually(has_come, awaited="the message in Planfix")


async def test_proxy_comes_and_goes(
    server: Server, operator: Operator, number: str, settings: dict[str, str]
) -> None:
    """A number gets a proxy, others, none, never on two lines; it alone goes through: no call to Planfix."""
    addresses = await operator._control("PUT", "/proxy", username=USER, password=PASSWORD)
    before = await operator._control("GET", "/proxy/connections")
    await operator.bring_session(number)
    started = await operator.start(server, number, name_session=number, proxy=addresses["http"])
    states, shown = [started.json()["state"]], []

    for kind in ("mtproxy", "socks5"):
        states.append(await change(server, operator, number, proxy=addresses[kind]))
        shown.append(await operator.show(server, number, started.json()["token"]))
    await delivered(operator, number)
    through = await operator._control("GET", "/proxy/connections")
    states.append(await change(server, operator, number, proxy=None))
    after = await operator._control("GET", "/proxy/connections")

    ports = {kind: int(url.rpartition(":")[2]) for kind, url in addresses.items()}
    assert states == ["online"] * 4
    assert [each.json()["proxy"] for each in shown] == [
        {"kind": kind, "host": "127.0.0.1", "port": ports[kind]} for kind in ("mtproxy", "socks5")
    ]
    assert (through["open"], after["open"]) == (1, 0)
    assert through["total"] - before["total"] == 3  # other tests share the sandbox's proxies
    assert {each["to"] for each in through["connections"]} == {settings["TELEGRAM_DC"]}
    assert (await operator.connections(number))["peak_per_key"] == 1
    said = "".join(each.text for each in shown) + server.log.read_text()
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
    await eventually(is_well, awaited="no error")


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
