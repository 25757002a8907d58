"""People, companies, texts that are called like markup, shown in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.acceptance.api.operator import ADMIN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Page

    from tests.acceptance.login.phone import Phone

    Visit = Callable[..., AbstractAsyncContextManager[Page]]

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

IMAGE = """"'><img src=x onerror=owned=1 id=evil>"""
HOSTILE = f"{IMAGE}<script>owned=1</script>{{{{7*7}}}}${{7*7}}"


async def is_unharmed(page: Page) -> bool:
    harm = "'owned' in window || document.getElementById('evil') !== null"
    return not await page.evaluate(harm)


async def test_login_page_shows_a_name_as_it_is(phone: Phone, visit: Visit) -> None:
    """The company's name is read, not run; what is in the address is not shown at all."""
    change = {"number": phone.number, "name": HOSTILE}
    await phone.operator.call(phone.server, "PUT", "/webhook", ADMIN_KEY, change)

    async with visit(locale="en") as page:
        await page.goto(f"{phone.login_url}?a=%22%3E%3Cscript%3Eowned=1%3C/script%3E#<b>")
        await expect(page.get_by_text(HOSTILE)).to_be_visible()
        assert await is_unharmed(page)


async def test_sandbox_shows_names_and_texts_as_they_are(phone: Phone, visit: Visit) -> None:
    """A person's name, what it writes, what its file is called: all of it is text."""
    contact = f"{int(phone.number) + 170_000_000}"
    person = {"phone": contact, "first_name": IMAGE, "last_name": IMAGE}
    await phone.operator._control("POST", "/telegram/accounts", **person)
    await phone.operator.write(contact, phone.number, HOSTILE)
    file = {"name": HOSTILE.replace("/", ""), "mime": "text/html", "base64": "PGI+"}
    between = {"from": contact, "to": phone.number}
    await phone.operator._control("POST", "/telegram/messages", **between, files=[file])

    async with visit(locale="en") as page:
        await page.goto(f"{phone.operator._sandbox_url}/")
        await page.get_by_label("I am").select_option(contact)
        await page.get_by_label("writing to").select_option(phone.number)
        await expect(page.locator("#telegram-lines > li").first).to_contain_text(HOSTILE)
        await expect(page.locator("#telegram-lines .file")).to_contain_text("onerror=owned=1")
        assert await is_unharmed(page)
