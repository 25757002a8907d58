"""The one-time page on which a client logs in alone, as a browser without scripts meets it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from api.login.calls import draw_qr
from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.login.phone import PASSWORD
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.acceptance.login.phone import Phone

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Page:
    """A visitor who fills in forms."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.url = url

    async def open(self, path: str = "") -> httpx.Response:
        return await self._http.get(self.url + path)

    async def send(self, **form: str) -> httpx.Response:
        return await self._http.post(self.url, data=form)

    async def follow(self) -> Any:
        return (await self.open("state")).json()


@pytest_asyncio.fixture(loop_scope="session")
async def page(guarded: Phone) -> AsyncIterator[Page]:
    headers = {"Accept-Language": "en"}
    async with caller(headers=headers, follow_redirects=True) as http:
        yield Page(http, guarded.login_url)


async def test_client_logs_in_alone_by_code(guarded: Phone, page: Page) -> None:
    """Number, code, password: each step on the page, mistakes said, the number online at the end."""
    start = await page.open()
    code = await page.send(method="code")
    wrong_code = await page.send(code="1")
    password = await page.send(code=guarded.code)
    wrong_password = await page.send(password="guess")
    done = await page.send(password=PASSWORD)

    assert f"+{guarded.number}" in start.text
    assert 'name="code"' in code.text
    assert (wrong_code.status_code, "This code is wrong" in wrong_code.text) == (400, True)
    assert 'type="password"' in password.text
    assert "This password is wrong" in wrong_password.text
    assert (done.status_code, "The number is connected" in done.text) == (200, True)
    await guarded.until("online")
    audit = await guarded.operator.call(
        guarded.server, "GET", f"/audit?number={guarded.number}", ADMIN_KEY
    )
    assert ("login link", "logged_in") in {
        (entry["who"], entry["action"]) for entry in audit.json()["entries"]
    }


async def test_client_logs_in_alone_by_qr(guarded: Phone, page: Page) -> None:
    """The page draws the QR code, follows what becomes of it, never names its token."""
    first = await page.send(method="qr")
    qr_url = (await guarded.begin("qr"))["qr_url"]
    shown, drawn, before = await page.open(), await page.open("qr.svg"), await page.follow()

    await guarded.scan(qr_url)
    await guarded.until("needs_password")
    after = await page.follow()
    await page.send(password=PASSWORD)

    assert 'src="qr.svg?v=' in first.text
    assert qr_url.partition("=")[2] not in shown.text
    assert drawn.content == await draw_qr(qr_url).get_data()
    assert drawn.headers["Content-Type"] == "image/svg+xml"
    assert (before["stage"], after["stage"]) == ("qr", "password")
    assert (await page.follow()) == {"stage": "done"}


async def test_link_dies_after_use(guarded: Phone, page: Page) -> None:
    """Once the number is logged in, the page does nothing more."""
    await page.send(method="code")
    await page.send(code=guarded.code)
    await page.send(password=PASSWORD)

    used = await page.open()
    again = await page.send(method="qr")

    assert (used.status_code, "<form" in used.text) == (410, False)
    assert (again.status_code, "no longer works" in again.text) == (410, True)
    await guarded.until("online")


async def test_link_dies_after_a_login_elsewhere(guarded: Phone, page: Page) -> None:
    """A login over the API ends the link too."""
    await guarded.begin("code")
    await guarded.enter(code=guarded.code)
    await guarded.enter(password=PASSWORD)

    assert (await page.open()).status_code == 410


async def test_newer_link_replaces_the_older(guarded: Phone, page: Page) -> None:
    """One link for each number: who makes a new one ends the last."""
    made = await guarded.post("login/link", key=ADMIN_KEY)

    old = await page.open()
    page.url = made.json()["url"]
    new = await page.open()

    assert made.status_code == 201
    assert re.fullmatch(rf"{guarded.server.url}/login/[\w-]{{43}}/", page.url)
    assert made.json()["expires_at"] > "2"
    assert (old.status_code, new.status_code) == (410, 200)


async def test_tampered_link_is_dead(guarded: Phone, page: Page) -> None:
    """A changed, shortened, prolonged link opens nothing; the true one goes on working."""
    secret = page.url.split("/")[-2]
    other = (await guarded.post("login/link", key=ADMIN_KEY)).json()["url"].split("/")[-2]
    changed = [
        f"{other[:place]}{'a' if char != 'a' else 'b'}{other[place + 1 :]}"
        for place, char in enumerate(other)
    ]
    parts = [secret, other[:-1], other[1:], f"{other}a", f"{other}%00", other[:20] + secret[20:]]
    statuses = set()
    for guess in (*changed, *parts):
        page.url = f"{guarded.server.url}/login/{guess}/"
        statuses |= {(await page.open()).status_code, (await page.send(method="qr")).status_code}
    page.url = f"{guarded.server.url}/login/{other}/"

    assert statuses == {410}
    assert (await page.open()).status_code == 200
    assert (await guarded.show())["state"] == "needs_login"
