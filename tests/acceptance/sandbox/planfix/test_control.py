"""The control calls of Planfix accounts."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.acceptance.sandbox.planfix.conftest import ACCOUNT, Client

if TYPE_CHECKING:
    import httpx

    from sandbox.sandbox import Sandbox
    from tests.acceptance.sandbox.planfix.gateway import Gateway


async def test_account_is_made(http: httpx.AsyncClient) -> None:
    """A PUT makes an account, listed from then on with the address of its chat API."""
    made = await http.put("/planfix/demo", json=ACCOUNT)

    listed = (await http.get("/planfix")).json()
    assert made.status_code == 200
    assert listed == [made.json()]
    assert made.json()["url_planfix"] == f"{http.base_url}/planfix/demo/webchat/api"


async def test_account_is_changed(planfix: Client) -> None:
    """A PUT to a known account changes its keys, keeps what was left out, forgets no messages."""
    await planfix.set_up(webhook_url="http://127.0.0.1:1/x")
    await planfix.call()

    new = {"planfix_token": "new", "provider_id": "telegram"}
    changed = await planfix.http.put(planfix.address, json=new)

    assert changed.json()["webhook_url"] == "http://127.0.0.1:1/x"
    assert (await planfix.call()).status_code == 401
    assert (await planfix.call(planfix_token="new")).status_code == 200
    assert len(await planfix.get("messages")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"provider_id": "tele~gram"},
        {"planfix_token": ""},
        {"webhook_url": "ftp://x"},
        {"unknown": 1},
    ],
    ids=str,
)
async def test_invalid_account_is_refused(
    http: httpx.AsyncClient, change: dict[str, object]
) -> None:
    """An account that makes no sense is answered 400 with the field at fault, not made."""
    answer = await http.put("/planfix/demo", json=ACCOUNT | change)

    assert answer.status_code == 400
    assert answer.json()["detail"][0]["field"] in change
    assert (await http.get("/planfix")).json() == []


async def test_account_name_is_plain(http: httpx.AsyncClient) -> None:
    """An account's name must be fit for a host name."""
    answer = await http.put("/planfix/two words", json=ACCOUNT)

    assert answer.status_code == 400


async def test_reset_forgets_everything(planfix: Client, http: httpx.AsyncClient) -> None:
    """After a reset no account is left; one made anew starts empty."""
    await planfix.call()

    answer = await http.post("/reset")

    assert answer.status_code == 200
    assert (await http.get("/planfix")).json() == []
    await planfix.set_up()
    assert await planfix.get("messages") == []
    assert await planfix.get("calls") == []


@pytest.mark.parametrize("path", ["calls", "messages", "statuses", "threads", "filelink/x/y"])
async def test_unknown_account_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    """Control of an account nobody made answers 404 in words."""
    answer = await http.get(f"/planfix/nobody/{path}")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "nobody" in answer.json()["detail"]


async def test_wrong_method_is_told(http: httpx.AsyncClient) -> None:
    """A call with a method it does not have answers 405 as JSON."""
    answer = await http.post("/planfix")

    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


async def test_body_must_be_json(http: httpx.AsyncClient) -> None:
    """A form where JSON belongs answers 415."""
    answer = await http.put("/planfix/demo", data=ACCOUNT)

    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
async def test_broken_json_is_told(http: httpx.AsyncClient, body: bytes) -> None:
    """A body that is no JSON object answers 400 with a reason."""
    headers = {"Content-Type": "application/json"}

    answer = await http.put("/planfix/demo", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_huge_body_is_refused(sandbox: Sandbox) -> None:
    """A body over the limit answers 413 before it is sent."""
    head = (
        "PUT /planfix/demo HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\n"
        f"Content-Length: {300 * 1024 * 1024}\r\n\r\n{{"
    )
    address = urlsplit(sandbox.http_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)

    writer.write(head.encode())
    status = await reader.readline()

    assert b" 413 " in status
    writer.close()


async def test_file_of_the_greatest_size_passes(planfix: Client, gateway: Gateway) -> None:
    """A file of 100 MB, the most Planfix takes, fits into a reply."""
    await planfix.set_up(webhook_url=gateway.webhook)
    size = 100 * 1024 * 1024
    body = b'{"contact_phone":"1","files":[{"name":"big","base64":"%s"}]}' % b64encode(bytes(size))
    headers = {"Content-Type": "application/json"}

    answer = await planfix.http.post("reply", content=body, headers=headers)

    link = dict(gateway.calls[0])["attachments[url]"]
    head = await planfix.http.head(link)
    assert answer.json()["status"] == 200
    assert head.headers["Content-Length"] == str(size)


async def test_page_is_served(http: httpx.AsyncClient) -> None:
    """The root is a page that loads only files the sandbox itself serves."""
    page = await http.get("/")

    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert (await http.get(link)).status_code == 200
