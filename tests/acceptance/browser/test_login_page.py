"""The login page in Chromium, on a screen the size of a phone."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.login.phone import PASSWORD
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from playwright.async_api import Page

    from tests.acceptance.login.phone import Phone

    Visit = Callable[..., AbstractAsyncContextManager[Page]]

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]


async def test_code_way_needs_no_script(guarded: Phone, visit: Visit, tmp_path: Path) -> None:
    """With scripts off a client logs in by code and password, corrects a mistake."""
    async with visit(java_script_enabled=False, locale="en-GB") as page:
        await page.goto(guarded.login_url)
        await page.screenshot(path=tmp_path / "start-en.png")
        await page.get_by_role("button", name="Get a code").click()
        await page.get_by_label("Code").fill("1")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("alert")).to_have_text(
            "This code is wrong. Check it and try again."
        )
        await page.screenshot(path=tmp_path / "code-wrong-en.png")
        await page.get_by_label("Code").fill(guarded.code)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_label("Password").fill(PASSWORD)
        await page.screenshot(path=tmp_path / "password-en.png")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("heading")).to_have_text("The number is connected")
        await page.screenshot(path=tmp_path / "done-en.png")
        await page.goto(guarded.login_url)
        await expect(page.get_by_role("heading")).to_have_text("The number is connected")
        await expect(page.get_by_role("button")).to_have_count(0)

    assert (await guarded.show())["state"] == "online"


async def test_qr_code_renews_itself_then_moves_on(
    guarded: Phone, visit: Visit, tmp_path: Path
) -> None:
    """A new code appears by itself; after the scan the page asks for the password by itself."""
    async with visit(locale="uk-UA") as page:
        await page.goto(guarded.login_url)
        await page.get_by_role("button", name="Відсканувати QR-код").click()
        picture = page.locator("#qr")
        first = await picture.get_attribute("src")
        await page.screenshot(path=tmp_path / "qr-uk.png")
        renewed = await guarded.begin("qr")  # from here on, its code must be scanned within 28 s
        await expect(picture).not_to_have_attribute("src", first or "")
        # What Playwright itself repeats in the page the page's own rules may forbid.
        wide = "document.getElementById('qr').naturalWidth > 100"
        await eventually(lambda: page.evaluate(wide), awaited="the picture")
        await guarded.scan(renewed["qr_url"])
        await page.get_by_label("Пароль").fill(PASSWORD)
        await page.screenshot(path=tmp_path / "password-uk.png")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading")).to_have_text("Номер підключено")

    assert (await guarded.show())["state"] == "online"


async def test_page_shows_the_end_of_a_scan_without_password(phone: Phone, visit: Visit) -> None:
    """Without a password the scan is all: the page says so by itself."""
    async with visit(locale="en") as page:
        await page.goto(phone.login_url)
        await page.get_by_role("button", name="Scan a QR code").click()
        await expect(page.locator("#qr")).to_be_visible()
        begun = await phone.begin("qr")
        await phone.scan(begun["qr_url"])
        await expect(page.get_by_role("heading")).to_have_text("The number is connected")


@pytest.mark.parametrize(
    ("locale", "title", "dead"),
    [
        ("en", "Log in to Telegram", "This link no longer works"),
        ("ru", "Вход в Telegram", "Ссылка больше не действует"),
        ("uk", "Вхід у Telegram", "Посилання більше не діє"),
    ],
)
async def test_page_fits_a_phone_in_each_language(
    phone: Phone, visit: Visit, tmp_path: Path, locale: str, title: str, dead: str
) -> None:
    """No text runs out of a narrow screen, in the dark as in the light; a dead link says so."""
    async with visit(locale=locale, color_scheme="dark") as page:
        for name, heading in (("start", title), ("dead", dead)):
            await page.goto(phone.login_url)
            await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            await page.set_viewport_size({"width": 320, "height": 640})
            await page.screenshot(path=tmp_path / f"{name}-{locale}-dark.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320
            await phone.post("login/link", key=ADMIN_KEY)
