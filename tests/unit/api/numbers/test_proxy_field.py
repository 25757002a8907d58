"""The proxy on POST and PUT: checked, never shown whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.proxy import parse_proxy
from tests.fakes.gateway import view
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

PUBLIC = "socks5://olena:secret-word@proxy.example.com:1080"
PRIVATE = [
    "socks5://127.0.0.1:1080",
    "socks5://localhost:1080",
    "http://10.0.0.7:3128",
    "http://0x7f000001:3128",
    "socks5://[::1]:1080",
    "mtproxy://" + "00" * 16 + "@proxy.internal:443",
]


async def test_proxy_is_handed_down(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """What was sent on POST and PUT is what the gateway is given."""
    token = await start(client, proxy=PUBLIC)
    changed = {"number": NUMBER, "proxy": PUBLIC.replace("olena", "taras")}
    await client.put("/webhook", json=changed, headers=bearer(token))

    assert gateway.created[0].proxy == parse_proxy(PUBLIC, may_be_private=True)
    assert gateway.changed[0].proxy == parse_proxy(changed["proxy"], may_be_private=False)


@pytest.mark.parametrize(
    ("fields", "removes"),
    [
        ({}, False),
        ({"proxy": PUBLIC}, False),
        ({"proxy": None}, True),
        ({"proxy": ""}, True),
    ],
)
async def test_only_null_removes_it(
    client: TestClientProtocol, gateway: FakeGateway, fields: dict[str, Any], removes: bool
) -> None:
    """Left out it stays; null, or an empty field of a form, takes it away."""
    token = await start(client)

    await client.put("/webhook", json={"number": NUMBER, **fields}, headers=bearer(token))

    assert gateway.changed[0].without_proxy is removes


@pytest.mark.parametrize(
    "proxy",
    ["socks5://proxy.example.com", "ftp://proxy.example.com:21", 1080, "mtproxy://x@h.example:1"],
)
async def test_malformed_proxy_is_refused(client: TestClientProtocol, proxy: object) -> None:
    """The field is named with a reason, what was sent is not repeated."""
    response = await client.post("/webhook", json=draft(proxy=proxy), headers=bearer(ADMIN_KEY))

    assert await fields_at_fault(response) == {"proxy"}
    assert str(proxy) not in await response.get_data(as_text=True)


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy.example.com:99999", "socks5://proxy example:1", "socks5://[::1:1080"]
)
async def test_reason_says_what_an_address_looks_like(
    client: TestClientProtocol, proxy: str
) -> None:
    """Whoever mistypes the address of a proxy is shown one."""
    response = await client.post("/webhook", json=draft(proxy=proxy), headers=bearer(ADMIN_KEY))

    [told] = (await response.get_json())["detail"]
    assert "socks5://user:password@host:1080" in told["reason"]


@pytest.mark.parametrize("proxy", PRIVATE)
async def test_private_proxy_is_the_operators(
    client: TestClientProtocol, gateway: FakeGateway, proxy: str
) -> None:
    """The operator may name a proxy in the own network, a client may not look around in there."""
    token = await start(client)
    body = {"number": NUMBER, "proxy": proxy}

    by_client = await client.put("/webhook", json=body, headers=bearer(token))
    by_operator = await client.put("/webhook", json=body, headers=bearer(ADMIN_KEY))

    assert await fields_at_fault(by_client) == {"proxy"}
    assert by_operator.status_code == 200
    assert [
        bool(changes.proxy and changes.proxy.may_be_private) for changes in gateway.changed
    ] == [True]


async def test_get_shows_where_it_lies(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Kind, host, port; neither user name nor password nor secret."""
    token = await start(client)
    gateway.views[NUMBER] = view(NUMBER, "Romashka", proxy="socks5://[2001:db8::1]:1080")

    response = await client.get(f"/numbers/{NUMBER}", headers=bearer(token))

    shown = (await response.get_json())["proxy"]
    assert shown == {"kind": "socks5", "host": "2001:db8::1", "port": 1080}
