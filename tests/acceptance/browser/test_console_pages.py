"""The pages of one number and of the bots, in front of a real gateway."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.browser.console_page import signed_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Route

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server
    from tests.acceptance.browser.console_page import Visit

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

PLANFIX_TOKEN = "planfix-token-of-romashka"


async def test_number_is_changed_on_its_page(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """The page has an address of its own, tests Planfix before it saves, and tells what to type there."""
    settings = {"planfix_token": PLANFIX_TOKEN, "provider_id": "telegram"}
    await operator._control("PUT", "/planfix/romashka", **settings)
    await operator.start_online(server, number)
    async with signed_in(visit, server) as page:
        await page.goto(f"{server.url}/console#/numbers/{number}/settings")
        form = page.locator("#edit")
        await form.get_by_label("Planfix key").fill("another-key")
        await form.get_by_role("button", name="Test Planfix").click()
        await expect(form.get_by_role("status")).to_contain_text("Planfix does not accept this.")
        await form.get_by_label("Planfix key").fill("")
        await form.get_by_label("Provider").fill("sales")
        await form.get_by_label("Employee's e-mail").fill("anna@example.com")
        await form.get_by_role("button", name="Save").click()
        await expect(form.get_by_role("status")).to_contain_text("Saved.")
        card = page.get_by_role("region", name="What to type into Planfix")
        assert await card.get_by_label("Channel").input_value() == number
        await expect(card.get_by_label("providerId")).to_have_value("sales")
        address = card.get_by_label("Address for messages")
        assert await address.input_value() == f"{server.url}/webhook/message"
        await page.screenshot(path=tmp_path / "settings.png")
        await page.get_by_role("link", name="History").click()
        await expect(page.locator("#panel tbody tr")).not_to_have_count(0)


async def test_last_hour_log_and_chats_are_shown(
    operator: Operator, server: Server, number: str, visit: Visit
) -> None:
    """The page tells what was delivered, what the process says as it says it, and which chats would go."""
    settings = {"planfix_token": PLANFIX_TOKEN, "provider_id": "telegram"}
    await operator._control("PUT", "/planfix/romashka", **settings)
    await operator.start_online(server, number)
    contact = str(next(NUMBERS))
    await operator.open_account(contact)
    await operator.write(contact, number, "Is this cat yours?")
    async with signed_in(visit, server) as page:
        await page.goto(f"{server.url}/console#/numbers/{number}")
        hour = page.get_by_role("region", name="The last hour")
        await expect(hour).to_contain_text("Delivered: 1 to Planfix, 0 to Telegram")

        await page.get_by_role("link", name="Log").click()
        started = page.locator("#log li", has_text="was started")
        await expect(started.first).to_be_visible()
        before = await started.count()
        await page.get_by_role("button", name="Restart").click()
        await expect(started.nth(before)).to_be_visible()

        await page.get_by_role("link", name="Settings").click()
        await page.get_by_role("combobox", name="Chats").select_option("except")
        await page.get_by_label("People: ids").fill(f"+{contact}")
        asking = page.get_by_role("button", name="Which chats would go?")
        told = page.locator("#chats-shown")

        async def is_told() -> bool:
            await asking.click()
            return "0 of 1 private chats go to Planfix." in await told.inner_text()

        await eventually(is_told, awaited="the worker that was started anew answers")
        await expect(told.get_by_role("table")).to_contain_text("stays")


async def test_state_is_told_with_its_beginning(
    operator: Operator, server: Server, number: str, visit: Visit
) -> None:
    """A number that is well says since when, and since when nothing was heard; it is seen on a picture of the day."""
    await operator.start_online(server, number)
    address = f"{server.url}/numbers/{number}"
    quiet = (await operator.call(server, "GET", f"/numbers/{number}", ADMIN_KEY)).json()
    quiet["last_heard"] = None
    async with signed_in(visit, server) as page:
        await page.route(address, lambda route: route.fulfill(json=quiet))
        await page.goto(f"{server.url}/console#/numbers/{number}")
        day = page.get_by_role("region", name="The last 24 hours")
        await expect(day).to_contain_text(re.compile(r"online since .+:.+ \(.+\)"))
        await expect(day.locator("rect.good")).not_to_have_count(0)
        heard = page.locator("#number-facts div", has_text="Last heard")
        await expect(heard).to_contain_text("nothing heard since the start at")


async def test_template_is_tried_before_it_is_saved(server: Server, visit: Visit) -> None:
    """The page of the bots shows a template with data filled in, as its readers will see it."""
    async with signed_in(visit, server) as page:
        await page.get_by_role("link", name="Bots").click()
        await page.get_by_text("Templates").click()
        template = page.locator("#template")
        await template.get_by_label("Name of the template").fill("ticket.purchased")
        await template.get_by_role("button", name="Load").click()
        await expect(template.get_by_label("Message")).not_to_have_value("")
        await template.get_by_label("Message").fill("{{ buyer }} has a ticket")
        await template.get_by_label("Data for the preview").fill('{"buyer": "<b>Anna</b>"}')
        await template.get_by_role("button", name="Preview").click()
        await expect(page.locator("#template-preview")).to_have_text("<b>Anna</b> has a ticket")


async def test_call_is_tried_with_the_key_of_the_console(server: Server, visit: Visit) -> None:
    """From the console to the description of the API: a call is tried without typing a key, even if it was opened early."""
    opened = asyncio.Event()

    async def arrive_late(route: Route) -> None:
        await opened.wait()
        await route.continue_()

    async with signed_in(visit, server) as page:
        await page.route("**/docs.js", arrive_late)
        await page.get_by_role("link", name="API", exact=True).click()
        call = page.locator(".call", has_text="Show what all numbers delivered in the last hour")
        await call.locator("summary").press("Enter")
        await expect(call).to_have_attribute("open", "")
        opened.set()
        await call.get_by_role("button", name="Send").click()
        answer = call.get_by_label("What the gateway answered")
        await expect(answer).to_contain_text("200")
        await expect(answer).to_contain_text('"minutes": [')
