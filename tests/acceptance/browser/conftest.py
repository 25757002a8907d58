"""A gateway with its sandbox, a browser that visits its pages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect
from playwright.sync_api import sync_playwright

from tests.acceptance.api.conftest import number
from tests.acceptance.api.shared import folder, operator, sandbox, server, settings
from tests.acceptance.browser.chromium import OPTIONS, find_chromium
from tests.acceptance.login.conftest import guarded, phone
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, Page, ViewportSize

__all__ = ["folder", "guarded", "number", "operator", "phone", "sandbox", "server", "settings"]

PHONE: ViewportSize = {"width": 390, "height": 780}
DEADLINE = PATIENCE * 1000  # milliseconds

expect.set_options(timeout=DEADLINE)


@pytest.fixture(scope="session")
def chromium() -> str:
    with sync_playwright() as playwright:
        return find_chromium(playwright.chromium)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium, args=OPTIONS, timeout=DEADLINE
        )
        yield started
        await started.close()


@pytest.fixture
def visit(browser: Browser) -> Callable[..., AbstractAsyncContextManager[Page]]:
    """Open pages, each as a visitor of its own; what the page's rules forbid fails the test."""

    @asynccontextmanager
    async def visiting(**visitor: Any) -> AsyncIterator[Page]:
        context = await browser.new_context(**{"viewport": PHONE, **visitor})
        page = await context.new_page()
        page.set_default_timeout(DEADLINE)
        forbidden: list[str] = []
        page.on("console", lambda said: _note_forbidden(said.text, forbidden))
        page.on("pageerror", lambda error: forbidden.append(str(error)))
        yield page
        await context.close()
        assert forbidden == []

    return visiting


def _note_forbidden(said: str, forbidden: list[str]) -> None:
    if "Content Security Policy" in said or "Refused to" in said:
        forbidden.append(said)
