"""The sandbox's page in Chromium, as a newcomer sees it after `make run`."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.acceptance.api.server import Server, forked_gateway
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import FilePayload, Locator, Page

    Visit = Callable[..., AbstractAsyncContextManager[Page]]

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]
CONTRAST = Path(__file__).with_name("contrast.js").read_text()
LAPTOP = {"width": 1366, "height": 768}
OLENA, MARIA = "380500000001", "380500000002"
ANDRIY, TARAS = "380670000001", "380670000002"
# One grey pixel.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63680000008200810d0ac2910000000049454e44ae426082"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Start what `make run` starts."""
    folder = tmp_path_factory.mktemp("page")
    settings = {"SANDBOX": "1", "DATA_DIR": str(folder / "data"), "LANGUAGE": "en"}
    async with forked_gateway(folder, settings) as server:
        await server.wait_serving()
        await eventually(lambda: server.log.read_text().count(": online\n") == 2)
        yield server


def printed(server: Server, name: str) -> str:
    found = re.search(rf"(?m)^  {name} +(\S+)", server.log.read_text())
    assert found is not None, server.log.read_text()
    return found[1]


@asynccontextmanager
async def opened(visit: Visit, demo: Server, **visitor: Any) -> AsyncIterator[Page]:
    """Open the page in front of the chat of Andriy and Olena; it may report no error of its own."""
    wrong: list[str] = []
    async with visit(**{"locale": "en-GB", "viewport": LAPTOP, **visitor}) as page:
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        await page.goto(printed(demo, "Sandbox"))
        await page.get_by_label("I am").select_option(ANDRIY)
        await page.get_by_label("writing to").select_option(OLENA)
        await expect(page.locator("#line-state")).to_contain_text("Olena: the gateway is connected")
        yield page
        assert "[object" not in await page.inner_text("body")
        assert wrong == []


def lines(page: Page, side: str, text: str) -> Locator:
    return page.locator(f"#{side}-lines li", has_text=text)


async def finish(page: Page, *buttons: str) -> None:
    """Press the buttons of a step of the tour, and wait until it says that it is done."""
    for name in buttons:
        await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.locator("#tour .done")).to_contain_text("✓")


async def test_messages_are_handled_as_on_a_phone(
    demo: Server, visit: Visit, tmp_path: Path
) -> None:
    """The owner writes on another device; a message is edited, then deleted; the right side follows."""
    async with opened(visit, demo) as page:
        message = page.get_by_label("Telegram message")
        await message.fill("Is this yours?")
        await message.press("Enter")
        await expect(lines(page, "planfix", "Is this yours?")).to_be_visible()
        await page.get_by_label("Who writes").select_option("partner")
        await message.fill("Let me look")
        await message.press("Enter")
        await expect(lines(page, "planfix", "Let me look")).to_contain_text("written in Telegram")
        await page.get_by_label("Who writes").select_option("me")

        line = lines(page, "telegram", "Is this yours?")
        await line.get_by_role("button", name="Edit").press("Enter")
        await message.fill("Is this cat yours?")
        await message.press("Enter")
        edited = lines(page, "telegram", "Is this cat yours?")
        await expect(edited).to_be_visible()
        await edited.get_by_role("button", name="Delete").press("Enter")
        await expect(edited).to_have_count(0)
        await page.get_by_role("button", name="Show typing").click()
        await expect(page.locator("#said")).to_have_text("Olena sees that Andriy is typing.")

        await page.get_by_label("writing to").select_option(MARIA)
        await expect(page.locator("#planfix-lines")).to_contain_text("Andriy has no task yet")
        await page.get_by_label("writing to").select_option(OLENA)
        await expect(lines(page, "planfix", "Let me look")).to_be_visible()
        await page.screenshot(path=tmp_path / "messages.png")


async def test_message_goes_to_whom_the_list_names(demo: Server, visit: Visit) -> None:
    """Who chooses somebody and writes at once writes to them, however slow the page is."""
    answered = asyncio.Event()

    async def hold(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    async with opened(visit, demo) as page:
        await page.route("**/telegram/accounts", hold)
        await page.get_by_label("writing to").select_option(TARAS)
        async with page.expect_request(
            lambda call: call.method == "POST" and "/telegram/messages" in call.url
        ) as sent:
            await page.get_by_label("Telegram message").fill("Hello, Taras")
            await page.get_by_label("Telegram message").press("Enter")
            answered.set()
        assert ((await sent.value).post_data_json or {})["to"] == TARAS
        await expect(lines(page, "telegram", "Hello, Taras")).to_be_visible()


async def test_pictures_are_shown(demo: Server, visit: Visit) -> None:
    """A picture is shown on both sides, and large when it is pressed."""
    async with opened(visit, demo) as page:
        picture: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": PICTURE}
        await page.get_by_label("Attach files for Telegram").set_input_files(picture)
        await page.get_by_label("Telegram message").press("Enter")
        for side in ("telegram", "planfix"):
            image = page.locator(f"#{side}-lines img")
            await expect(image).to_have_js_property("naturalWidth", 1)
        await page.locator("#planfix-lines .picture").press("Enter")
        await expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
        await page.keyboard.press("Escape")


async def test_tour_is_walked_to_its_end(demo: Server, visit: Visit, tmp_path: Path) -> None:
    """Each step can be done with its buttons: message, answer, outage, killed worker, lost login."""
    async with opened(visit, demo) as page:
        following = page.get_by_role("button", name="Next")
        await finish(page, "Write a message")
        await following.click()
        await finish(page, "Answer as the employee")
        await page.get_by_role("button", name="Mark as read").click()
        await expect(page.locator("#planfix-lines .tick.read")).to_have_count(1)
        await following.click()
        await page.get_by_role("button", name="Take Planfix down and write").click()
        await expect(page.locator("#planfix-active")).to_contain_text("Planfix romashka is down")
        await page.screenshot(path=tmp_path / "down.png")
        await finish(page, "End the outage")
        await following.click()
        await finish(page, "Kill the worker and write")
        await following.click()

        await page.get_by_role("button", name="End the login and answer").click()
        await expect(page.locator("#tour-step")).to_contain_text("The login is lost.")
        await begin_login(demo)
        await page.get_by_role("button", name="Scan a QR code").click()
        await expect(page.locator("#scan-hint")).to_have_text("A client shows a QR code now.")
        await page.get_by_role("button", name="Scan", exact=True).click()
        await finish(page)
        await expect(lines(page, "telegram", "It costs 250.")).to_be_visible()
        await page.screenshot(path=tmp_path / "end.png")


async def begin_login(demo: Server) -> None:
    """Let the gateway show a QR code, as the number's login page does."""
    headers = {"Authorization": f"Bearer {printed(demo, 'Admin key')}"}
    async with caller(demo.url, headers=headers) as http:

        async def is_lost() -> bool:
            state = (await http.get(f"/numbers/{OLENA}")).json()["state"]
            return bool(state == "needs_login")

        await eventually(is_lost)
        answer = await http.post(f"/numbers/{OLENA}/login", json={"method": "qr"})
        assert answer.status_code == 202, answer.text


async def test_process_of_a_number_is_frozen_thawed_killed(demo: Server, visit: Visit) -> None:
    """A real worker is stopped by the buttons; the gateway replaces the frozen one and the killed one."""
    headers = {"Authorization": f"Bearer {printed(demo, 'Admin key')}"}
    async with (
        opened(visit, demo) as page,
        caller(demo.url, headers=headers) as http,
    ):

        async def is_replaced(times: int) -> bool:
            shown = (await http.get(f"/numbers/{MARIA}")).json()
            return bool(shown["state"] == "online" and shown["restarts"] == times)

        await page.get_by_label("writing to").select_option(MARIA)
        await expect(page.locator("#line-state")).to_contain_text("Maria: the gateway is connected")
        for name, said, times in (
            ("Freeze", "The number's process stands still.", 1),
            ("Thaw", "The number's process runs on.", 1),
            ("Kill", "The number's process was killed.", 2),
        ):
            await page.evaluate("document.querySelector('#telegram .troubles').open = true")
            await page.get_by_role("button", name=name, exact=True).click()
            await expect(page.locator("#said")).to_contain_text(said)
            await eventually(partial(is_replaced, times), awaited=f"the end of {name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_is_readable(demo: Server, visit: Visit, scheme: str, tmp_path: Path) -> None:
    """Every text has a contrast of 4.5:1, with everything open; nothing sticks out of a phone."""
    async with opened(visit, demo, color_scheme=scheme) as page:
        for summary in await page.locator("summary").all():
            await summary.press("Enter")
        await page.get_by_role("button", name="New person").press("Enter")
        await expect(page.get_by_label("First name")).to_be_visible()
        assert await page.evaluate(CONTRAST) == []
        await page.set_viewport_size({"width": 390, "height": 780})
        await page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
