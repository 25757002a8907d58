"""The operator's web page in Chromium, in front of a real gateway."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.operator import ADMIN_KEY, CLIENT
from tests.acceptance.browser.console_page import LAPTOP, open_number, row_of, signed_in

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Dialog, Page

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server
    from tests.acceptance.browser.console_page import Visit

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

HOSTILE = "<img src=x onerror='window.hit = 1'>"
PLANFIX_TOKEN = "planfix-token-of-romashka"


async def look_again(page: Page) -> None:
    """Do as when the tab comes back to the front."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def ask(operator: Operator, server: Server, path: str) -> Any:
    return (await operator.call(server, "GET", path, ADMIN_KEY)).raise_for_status().json()


async def test_key_opens_the_page_for_this_tab_only(server: Server, visit: Visit) -> None:
    """A wrong key is told; the right one survives a reload, lies in no cookie, is forgotten on demand."""
    async with visit(locale="en-GB", viewport=LAPTOP) as page:
        await page.goto(f"{server.url}/console")
        for wrong in ("wrong-key", "ключ"):
            await page.get_by_label("Admin key").fill(wrong)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("alert")).to_have_text("This key is wrong.")
            await expect(page.get_by_role("button", name="Sign in")).to_be_enabled()

        await page.get_by_label("Admin key").fill(ADMIN_KEY)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#updated")).to_contain_text("Updated")
        await page.reload()
        await expect(page.locator("#updated")).to_contain_text("Updated")
        assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 1]
        assert await page.context.cookies() == []

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Admin key")).to_be_focused()
        await expect(page.locator("#numbers tbody tr")).to_have_count(0)
        assert await page.evaluate("sessionStorage.length") == 0
        assert await page.get_by_label("Admin key").input_value() == ""


async def test_trouble_comes_first_with_what_to_do(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """A number that needs somebody stands above those that are well, its action in words beside it."""
    await operator.start_online(server, number)
    troubled = str(next(NUMBERS))
    assert (await operator.start(server, troubled, name=HOSTILE)).status_code == 201

    async with signed_in(visit, server) as page:
        row = row_of(page, troubled)
        await expect(row.locator(".badge")).to_have_text("needs login")
        await expect(row).to_contain_text("The number is not logged in to Telegram.")
        await expect(row).to_contain_text("Client: log the number in.")
        await expect(row.locator(".client")).to_have_text(HOSTILE)
        numbers = await page.locator("#numbers tbody th").all_inner_texts()
        assert numbers.index(f"+{troubled}") < numbers.index(f"+{number}")
        await expect(page.locator("#need dd")).not_to_have_text("0")
        await page.screenshot(path=tmp_path / "list.png")

        await page.get_by_role("searchbox").fill(f"{number} ONLINE")
        await expect(row).to_be_hidden()
        await expect(row_of(page, number)).to_be_visible()
        await page.get_by_role("button", name="Show everything").click()
        await page.get_by_role("button", name="needs login").click()
        await expect(row_of(page, number)).to_be_hidden()
        opened = await open_number(page, troubled, "Who did what")
        await expect(opened.get_by_role("table").locator("tbody tr")).not_to_have_count(0)
        await page.get_by_role("button", name="Login link").click()
        link = page.get_by_label("Login link")
        await expect(page.get_by_role("status")).to_contain_text("It works once")
        assert (await link.input_value()).startswith(f"{server.url}/login/")
        await page.screenshot(path=tmp_path / "details.png")
        assert await page.evaluate("[window.hit ?? 0, document.images.length]") == [0, 0]


async def test_number_is_restarted_stopped_started(
    operator: Operator, server: Server, number: str, visit: Visit
) -> None:
    """Three buttons do what three calls do; stopping asks first."""
    await operator.start_online(server, number)
    before = (await ask(operator, server, f"/numbers/{number}"))["worker"]["pid"]

    async with signed_in(visit, server) as page:
        asked: list[str] = []

        async def agree(dialog: Dialog) -> None:
            asked.append(dialog.message)
            await dialog.accept()

        page.on("dialog", agree)
        details = await open_number(page, number)
        state = page.locator("#number-state")
        await details.get_by_role("button", name="Restart").click()
        await expect(page.locator("#said")).to_have_text("Done.")
        await expect(state).to_have_text("online")
        process = details.locator(".facts div", has_text="Process").locator("dd")
        await expect(process).not_to_have_text(str(before))
        await details.get_by_role("button", name="Stop", exact=True).click()
        await expect(state).to_have_text("stopped")
        await details.get_by_role("button", name="Start", exact=True).click()
        await expect(state).to_have_text("online")
        assert [number in question for question in asked] == [True]
        await details.get_by_role("link", name="Who did what").click()
        await expect(details.locator("#panel")).to_contain_text("stopped")


async def test_dead_letter_is_sent_again(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """What Planfix has refused is shown with the reason, then sent again by one click."""
    settings = {"planfix_token": PLANFIX_TOKEN, "provider_id": "telegram"}
    await operator._control("PUT", "/planfix/romashka", **settings)
    await operator.start_online(server, number)
    sender = str(next(NUMBERS))
    await operator.open_account(sender)
    fault = {"mode": "refuse", "cmd": "newMessage", "times": 1}
    await operator._control("POST", "/planfix/romashka/faults", **fault)
    await operator.write(sender, number, "<b>Hello?</b>")

    async with signed_in(visit, server) as page:
        await expect(page.locator("#dead dd")).not_to_have_text("0")
        await open_number(page, number, "Messages")
        await page.locator("#which").select_option("dead letter")
        message = page.locator("#messages tbody tr", has_text="<b>Hello?</b>")
        await expect(message).to_contain_text("planfix_rejected")
        await message.get_by_role("button", name="Whole path").click()
        await expect(page.locator(".path li")).not_to_have_count(0)
        await page.screenshot(path=tmp_path / "dead.png")
        for width in (390, LAPTOP["width"]):
            await page.set_viewport_size({"width": width, "height": LAPTOP["height"]})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await message.get_by_role("button", name="Send again").click()
        await expect(message).to_have_count(0)
        await page.locator("#which").select_option("all")
        await expect(message.locator(".badge")).to_have_text("delivered")
        await page.set_viewport_size({"width": 390, "height": 780})
        await page.screenshot(path=tmp_path / "details-phone.png")


async def test_number_is_added_and_erased(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """A new number's token and login page are shown once; erasing it needs its number typed."""
    await operator.open_account(number)
    async with signed_in(visit, server) as page:
        await page.get_by_role("button", name="Add a number").click()
        draft = page.locator("#draft")
        await draft.get_by_label("Client's name").fill(CLIENT)
        await draft.get_by_label("Number", exact=True).fill("12")
        await draft.get_by_label("url_planfix").fill(f"{operator._sandbox_url}/planfix/romashka")
        await draft.get_by_label("token_planfix").fill(PLANFIX_TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.locator("#draft").get_by_role("alert")).to_contain_text("number: ")
        await draft.get_by_label("Number", exact=True).fill(f"+{number}")
        await page.keyboard.press("Enter")
        await expect(page.locator("#added").get_by_role("status")).to_contain_text("needs login")
        token = await page.get_by_label("Token of the number").input_value()
        login = await page.get_by_label("Login page for the client").input_value()
        await page.screenshot(path=tmp_path / "added.png")
        await page.locator("#added").get_by_role("button", name="Close").click()

        assert (await operator.show(server, number, token)).json()["number"] == number
        assert login.startswith(f"{server.url}/login/")
        assert token not in await page.content()

        details = await open_number(page, number)
        await details.get_by_text("Erase this number").click()
        erase = details.get_by_role("button", name="Erase permanently")
        await expect(erase).to_be_disabled()
        await details.get_by_label("Number").fill(f"+{number}")
        await erase.click()
        await expect(details).to_be_hidden()
        await expect(page.locator("#bulk-said")).to_contain_text(f"+{number} has been erased")
        await expect(row_of(page, number)).to_have_count(0)


async def test_many_are_handled_at_once(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """What is chosen in the list is stopped with one click, and each change shows by itself."""
    other = str(next(NUMBERS))
    for each in (number, other):
        await operator.start_online(server, each)
    async with signed_in(visit, server) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        for each in (number, other):
            await page.get_by_role("checkbox", name=f"Choose +{each}").check()
        await expect(page.locator("#chosen")).to_have_text("Chosen: 2")
        await page.get_by_role("button", name="Stop them").click()
        await expect(page.locator("#bulk-said")).to_contain_text("Done with 2 of 2.")
        for each in (number, other):
            await expect(row_of(page, each).locator(".badge")).to_have_text("stopped")
        await operator.call(server, "PUT", "/webhook", ADMIN_KEY, {"number": number})
        await expect(row_of(page, number).locator(".badge")).to_have_text("online")
        await page.get_by_role("button", name="Number", exact=True).click()
        numbers = await page.locator("#numbers tbody th").all_inner_texts()
        assert numbers.index(f"+{number}") < numbers.index(f"+{other}")
        await page.screenshot(path=tmp_path / "many.png")


async def test_silence_of_the_gateway_is_shown(
    operator: Operator, server: Server, number: str, visit: Visit, tmp_path: Path
) -> None:
    """While the gateway does not answer the last state stays, marked as old; a phone shows it all."""
    await operator.start_online(server, number)
    async with signed_in(visit, server, viewport={"width": 320, "height": 640}) as page:
        banner = page.locator(".stale-note")
        await expect(row_of(page, number)).to_be_visible()
        await page.route("**/numbers", lambda route: route.abort())
        await look_again(page)
        await expect(banner).to_contain_text("The gateway does not answer. What you see is from")
        await expect(row_of(page, number)).to_be_visible()
        await page.screenshot(path=tmp_path / "stale-phone.png")
        await page.unroute("**/numbers")
        refusal = {"error": "standing_by", "detail": "another gateway runs here"}
        await page.route("**/numbers", lambda route: route.fulfill(status=503, json=refusal))
        await look_again(page)
        await expect(banner).to_contain_text(
            "This gateway is on standby. another gateway runs here"
        )
        await page.unroute("**/numbers")
        await look_again(page)
        await expect(banner).to_be_hidden()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_long_list_is_shown_in_pages(
    operator: Operator, server: Server, number: str, visit: Visit
) -> None:
    """Of 200 numbers a phone shows twenty, and more on demand; a filter looks through all of them."""
    await operator.start_online(server, number)
    real = await ask(operator, server, "/numbers")
    [one] = [each for each in real["numbers"] if each["number"] == number]
    many = [one | {"number": f"3809900{count:05}", "state": "parked"} for count in range(200)]
    async with signed_in(visit, server, viewport={"width": 390, "height": 780}) as page:
        await page.route("**/numbers", lambda route: route.fulfill(json=real | {"numbers": many}))
        await look_again(page)
        shown = page.locator("#numbers tbody tr:visible")
        await expect(shown).to_have_count(20)
        await page.get_by_role("button", name="Show 20 more of 200").click()
        await expect(shown).to_have_count(40)
        await expect(shown.first.get_by_role("checkbox")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollHeight") < 8000
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.get_by_role("searchbox").fill("380990000199")
        await expect(shown).to_have_count(1)


async def test_language_is_switched(
    operator: Operator, server: Server, number: str, visit: Visit
) -> None:
    """A German begins in English and may choose; then troubles and refusals are in that language, too."""
    await operator.open_account(number)
    assert (await operator.start(server, number)).status_code == 201
    async with signed_in(visit, server, locale="de-DE") as page:
        await expect(row_of(page, number)).to_contain_text("Client: log the number in.")
        await page.locator("#language").select_option("Українська")
        row = row_of(page, number)
        await expect(row).to_contain_text("Вхід у Telegram для номера не виконано.")
        await page.goto(f"{server.url}/console?language=uk#/numbers/{number}/settings")
        await page.get_by_role("button", name="Які чати потраплять?").click()
        refused = page.locator("#edit").get_by_role("status")
        await expect(refused).to_contain_text("Не вдалося: Номер не в мережі")
