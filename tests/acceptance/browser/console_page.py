"""The console as an operator opens it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from playwright.async_api import expect

from tests.acceptance.api.operator import ADMIN_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Locator, Page, ViewportSize

    from tests.acceptance.api.server import Server

    Visit = Callable[..., AbstractAsyncContextManager[Page]]

LAPTOP: ViewportSize = {"width": 1366, "height": 768}


@asynccontextmanager
async def signed_in(visit: Visit, server: Server, **visitor: Any) -> AsyncIterator[Page]:
    async with visit(**{"locale": "en-GB", "viewport": LAPTOP, **visitor}) as page:
        await page.goto(f"{server.url}/console")
        await page.locator("#gate input").fill(ADMIN_KEY)
        await page.keyboard.press("Enter")
        await expect(page.locator("#updated")).to_contain_text(":")
        yield page


def row_of(page: Page, number: str) -> Locator:
    return page.locator("#numbers tbody tr", has_text=f"+{number}")


async def open_number(page: Page, number: str, tab: str = "") -> Locator:
    """Open a number's page as the keyboard does."""
    await page.get_by_role("link", name=f"+{number}").press("Enter")
    opened = page.get_by_role("main", name=f"+{number}")
    await expect(opened).to_be_visible()
    if tab:
        await opened.get_by_role("link", name=tab, exact=True).click()
    return opened
