"""Every page of the gateway and of the sandbox before axe, in the dark and in the light, on a desktop and a phone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import pytest_asyncio

from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.browser.console_page import LAPTOP, signed_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, ViewportSize

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server
    from tests.acceptance.browser.console_page import Visit

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
PHONE: ViewportSize = {"width": 390, "height": 780}
LONGEST = 8000  # pixels that somebody scrolls on a phone
# Of what axe knows, a color scheme can spoil only the contrast.
RULES: dict[Literal["light", "dark"], list[str] | None] = {
    "light": None,
    "dark": ["color-contrast"],
}
FOUND = """async (rules) => {
  const folded = { exclude: ["details:not([open]) > :not(summary)"] };
  const { violations } = await axe.run(folded, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}"""
SIDE = "document.documentElement.scrollWidth"
LENGTH = "document.documentElement.scrollHeight"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def numbers(operator: Operator, server: Server) -> tuple[str, str, str]:
    """A number that is online, one that waits for its login, and somebody who writes to the first."""
    online, waiting = str(next(NUMBERS)), str(next(NUMBERS))
    await operator.start_online(server, online)
    assert (await operator.start(server, waiting)).status_code == 201
    contact = str(next(NUMBERS))
    await operator.open_account(contact)
    await operator.write(contact, online, "Is this cat yours?")
    return online, waiting, contact


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(operator: Operator, server: Server) -> str:
    fields = {"bot": True, "username": "shown_bot", "first_name": "Shown"}
    token = (await operator._control("POST", "/telegram/accounts", **fields))["bot_token"]
    body = {"name": "Romashka", "token": token}
    made = await operator.call(server, "POST", "/bots?wait=60", ADMIN_KEY, body)
    assert made.status_code == 201, made.text
    return str(made.json()["bot"])


async def look(page: Page, name: str, *, longest: int = LONGEST) -> list[str]:
    """Return what axe finds and what does not fit, in each of the four ways to look at a page."""
    await page.evaluate(AXE)
    found: list[str] = []
    for size in (LAPTOP, PHONE):
        await page.set_viewport_size(size)
        for scheme, rules in RULES.items():
            await page.emulate_media(color_scheme=scheme)
            way = f"{name}, {size['width']} px, {scheme}: "
            found += [way + each for each in await page.evaluate(FOUND, rules)]
        if await page.evaluate(SIDE) > size["width"]:
            found.append(f"{name} is wider than {size['width']} px")
    if (length := await page.evaluate(LENGTH)) > longest:
        found.append(f"{name} is {length} px long on a phone")
    return found


@asynccontextmanager
async def without_errors(page: Page) -> AsyncIterator[None]:
    """Require that the page reports nothing to the browser's console, beside what the browser itself reports."""
    said: list[str] = []
    page.on("console", lambda each: said.append(each.text) if each.type == "error" else None)
    yield
    # The browser itself reports each call that is refused, as one for a closed link has to be.
    assert [each for each in said if "Failed to load resource" not in each] == []


async def open_all(page: Page) -> None:
    """Open whatever is folded."""
    await page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")


async def test_console(
    server: Server, numbers: tuple[str, str, str], bot: str, visit: Visit
) -> None:
    """The list, each tab of a number, its login, the bots and the dialog have no barrier and fit a phone."""
    online, waiting, _ = numbers
    found: list[str] = []
    async with signed_in(visit, server) as page, without_errors(page):
        tabs = ("state", "messages", "history", "receipts", "audit", "settings")
        addresses = [f"/numbers/{online}/{tab}" for tab in tabs]
        for address in ("/", *addresses, f"/numbers/{waiting}", f"/bots/{bot}"):
            await page.goto(f"{server.url}/console#{address}")
            await settle(page)
            await open_all(page)
            found += await look(page, address)
        await page.get_by_role("button", name="Add a number").click()
        found += await look(page, "the dialog")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Sign out").click()
        found += await look(page, "the gate")
    assert found == []


async def settle(page: Page) -> None:
    """Wait until what the address names has been read and shown."""
    busy = "!document.querySelector('main:not([hidden])') || document.querySelector('[aria-busy=true]')"
    await eventually(lambda: page.evaluate(f"!({busy})"), awaited="a page that is shown")


async def test_description_of_the_api(server: Server, visit: Visit) -> None:
    """/docs has no barrier with a call and a part open, and is short enough for a phone."""
    async with visit(viewport=LAPTOP) as page, without_errors(page):
        await page.goto(f"{server.url}/docs#NumberAnswer")
        await page.get_by_text("Create a number and start it.").first.click()
        await page.get_by_role("button", name="Send").wait_for()
        assert await look(page, "/docs", longest=3 * LONGEST) == []


async def test_login_page(
    operator: Operator, server: Server, numbers: tuple[str, str, str], visit: Visit
) -> None:
    """The page on which a client logs in has no barrier, from its start to its end."""
    made = await operator.call(server, "POST", f"/numbers/{numbers[1]}/login/link", ADMIN_KEY)
    link = made.json()["url"]
    found: list[str] = []
    async with visit(locale="en-GB", viewport=LAPTOP) as page, without_errors(page):
        await page.goto(link)
        found += await look(page, "start")
        await page.get_by_role("button", name="Scan a QR code").click()
        await page.locator("#qr").wait_for()
        found += await look(page, "QR code")
        await page.get_by_role("button", name="Use a code instead").click()
        await page.get_by_label("Code").wait_for()
        found += await look(page, "code")
        await page.goto(f"{link[:-4]}none", wait_until="commit")
        await page.get_by_role("heading", level=1).wait_for()
        found += await look(page, "closed")
    assert found == []


async def test_sandbox_page(
    sandbox: dict[str, str], numbers: tuple[str, str, str], visit: Visit
) -> None:
    """The sandbox's page has no barrier with everything open."""
    async with visit(locale="en-GB", viewport=LAPTOP) as page, without_errors(page):
        await page.goto(f"{sandbox['SANDBOX_URL']}/")
        await page.get_by_label("I am").select_option(numbers[2])
        await page.get_by_label("writing to").select_option(numbers[0])
        await open_all(page)
        assert await look(page, "the sandbox") == []
