"""The Mini App: what people do with it, on a phone and on a desktop."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.acceptance.api.operator import settings_of
from tests.acceptance.browser.mini_app import (
    DESKTOP,
    LIGHT,
    MANY,
    PHONE,
    WORKSPACE,
    MiniApp,
    barriers,
    card,
    column,
    ids_of,
    team,
)
from tests.acceptance.teamflame.office import ANNA, HOSTILE
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx
    from playwright.async_api import Browser, Locator

    from tests.acceptance.api.server import Server

# The first test may have to install a browser.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

BOARDS = (
    "First",
    "Card",
    "Desk",
    "Touch",
    "Places",
    "Link",
    "Two",
    "Offline",
    "Markup",
    "Slow",
    "Late",
    "Many",
)
# Remembers the names of the cards that are added, removed or changed from now on.
COUNT_DRAWN = """() => {
  window.drawn = new Set();
  const note = (node) => {
    const card = (node.nodeType === 1 ? node : node.parentElement)?.closest('.card');
    if (card) drawn.add(card.getAttribute('aria-label'));
  };
  new MutationObserver((changes) => changes.forEach(({ type, target, addedNodes, removedNodes }) =>
    (type === 'childList' ? [...addedNodes, ...removedNodes] : [target]).forEach(note)))
    .observe(document.querySelector('.board'),
      { subtree: true, childList: true, characterData: true, attributes: true });
}"""
MEANWHILE = "Somebody else has changed this meanwhile. This is the newest state."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def control(sandbox: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    url = sandbox["SANDBOX_URL"]
    async with caller(url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot_token(control: httpx.AsyncClient) -> str:
    account = {"bot": True, "username": "board_bot", "first_name": "TeamFlame"}
    made = (await control.post("/telegram/accounts", json=account)).raise_for_status()
    return str(made.json()["bot_token"])


@pytest.fixture(scope="module")
def settings(folder: Path, sandbox: dict[str, str], bot_token: str) -> dict[str, str]:
    place = f"{sandbox['SANDBOX_URL']}/teamflame/{WORKSPACE}"
    return settings_of(folder, sandbox) | {
        "TEAMFLAME_BOT_TOKEN": bot_token,
        "TEAMFLAME_AUTH_URL": f"{place}/auth",
        "TEAMFLAME_API_URL": f"{place}/api",
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(
    browser: Browser, server: Server, control: httpx.AsyncClient, bot_token: str
) -> AsyncIterator[MiniApp]:
    made = await control.put(f"/teamflame/{WORKSPACE}", json=team(*BOARDS))
    ids = ids_of(made.raise_for_status().json())
    async with caller(server.url) as gateway:
        yield MiniApp(browser, gateway, control, bot_token, ids)


async def test_first_minute_on_a_phone(app: MiniApp) -> None:
    """A newcomer is told of a wrong password, signs in, finds a board and adds a task, by touch."""
    async with app.opened() as page:
        await page.get_by_label("E-mail").fill(ANNA["email"])
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in").tap()
        wrong = page.get_by_role("alert")
        await expect(wrong).to_have_text("The e-mail address or the password is wrong.")
        assert await barriers(page) == []
        await page.get_by_label("Password").fill(ANNA["password"])
        await page.get_by_role("button", name="Sign in").tap()

        for places, name in (("Spaces", "Bakery"), ("Projects", "Shop")):
            await page.get_by_role("list", name=places).get_by_role("button", name=name).tap()
        first = page.get_by_role("list", name="Boards").get_by_role("button", name="First")
        await expect(first).to_be_visible()
        assert await barriers(page) == []
        await first.tap()
        to_do = column(page, "To do")
        await expect(card(to_do, "Bake")).to_be_visible()
        await to_do.get_by_role("button", name="New task").tap()
        await to_do.get_by_label("Title").fill("Hang the lamps")
        assert await barriers(page) == []
        await to_do.get_by_role("button", name="Create").tap()
        await expect(card(to_do, "Hang the lamps")).to_be_visible()

        background = "getComputedStyle(document.body).backgroundColor"
        assert await page.evaluate(background) == "rgb(35, 46, 60)", "Telegram's dark theme"
    assert (await app.tasks("First"))["Hang the lamps"]["column"] == "To do"


async def test_card(app: MiniApp) -> None:
    """A card is moved, assigned, dated, described and commented on in its dialog, and all of it is stored."""
    async with app.opened("Card") as page:
        await card(page, "Bake").tap()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Move to", exact=True).select_option(label="Done")
        await dialog.get_by_label("Assignees").select_option(label="Boris")
        await _stored(app, "Card", "Bake", "assignees", lambda people: len(people) == 1)
        await dialog.get_by_label("Start date").fill("2030-12-01")
        await _stored(app, "Card", "Bake", "start", lambda at: at[:10] == "2030-12-01")
        await dialog.get_by_label("Due date").fill("2030-12-24")
        await _stored(app, "Card", "Bake", "due", lambda at: at[:10] == "2030-12-24")
        # The page has its answer too, or it would take its own change for somebody else's.
        await expect(page.locator(".card", has_text="Bake")).to_contain_text(
            re.compile("Due: .*24")
        )
        await dialog.get_by_label("Description", exact=True).fill("Five lamps\nin the yard")
        await dialog.get_by_role("button", name="Save").tap()
        await expect(dialog.get_by_text("Saved")).to_be_visible()
        await dialog.get_by_label("Comment", exact=True).fill("Who has a ladder?")
        await dialog.get_by_role("button", name="Send").tap()
        await expect(dialog.get_by_role("listitem")).to_contain_text("Who has a ladder?")
        assert await barriers(page) == []
        await dialog.get_by_role("button", name="Close").tap()

        await expect(dialog).to_have_count(0)
        done = card(column(page, "Done"), "Bake")
        await expect(done).to_contain_text("Boris")
        await done.tap()
        await expect(dialog.get_by_label("Description", exact=True)).to_have_value(
            "Five lamps\nin the yard"
        )
    assert (await app.tasks("Card"))["Bake"]["column"] == "Done"


async def test_mouse_and_keyboard_on_a_desktop(app: MiniApp) -> None:
    """In Russian, a card is dragged by mouse and by keyboard, opened with Enter and closed with Escape."""
    async with app.opened("Desk", device=DESKTOP, theme=LIGHT, language="ru") as page:
        bake, doing, done = card(page, "Bake"), column(page, "Doing"), column(page, "Done")
        await expect(bake).to_be_visible()
        assert await barriers(page) == []
        await page.mouse.move(*await _middle(bake))
        await page.mouse.down()
        await page.mouse.move(*await _middle(done.locator(".cards")), steps=15)
        await expect(done.locator(".cards")).to_have_class(re.compile("is-target"))
        await page.mouse.up()
        await expect(card(done, "Bake")).to_be_visible()

        clean = card(doing, "Clean")
        await clean.focus()
        await page.keyboard.press("Space")
        await expect(clean).to_have_class(re.compile("is-dragged"))
        await page.keyboard.press("ArrowLeft")
        await expect(column(page, "To do").locator(".cards")).to_have_class(re.compile("is-target"))
        await page.keyboard.press("Space")
        moved = card(column(page, "To do"), "Clean")
        await expect(page.get_by_text("Карточка оставлена. Колонка: To do.")).to_be_attached()
        await expect(moved).to_be_focused()

        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Clean")
        await expect(dialog.get_by_label("Срок")).to_be_enabled()
        assert await barriers(page) == []
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(moved).to_be_focused()
        await _stored(app, "Desk", "Bake", "column", lambda name: name == "Done")
        await _stored(app, "Desk", "Clean", "column", lambda name: name == "To do")


async def test_drag_by_touch(app: MiniApp) -> None:
    """A finger that rests on a card picks it up and carries it to another column."""
    async with app.opened(
        "Touch", device=PHONE | {"viewport": {"width": 900, "height": 839}}
    ) as page:
        bake, done = card(page, "Bake"), column(page, "Done")
        await expect(bake).to_be_visible()
        touch = await page.context.new_cdp_session(page)
        await _touch(touch, "touchStart", await _middle(bake))
        await expect(bake).to_have_class(re.compile("is-dragged"))
        for _ in range(2):
            await _touch(touch, "touchMove", await _middle(done.locator(".cards")))
        await expect(done.locator(".cards")).to_have_class(re.compile("is-target"))
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await expect(card(done, "Bake")).to_be_visible()
        await _stored(app, "Touch", "Bake", "column", lambda name: name == "Done")


async def test_new_column_new_board_sign_out(app: MiniApp) -> None:
    """Columns and boards are made; settings are kept; who has signed out has to sign in again."""
    async with app.opened("Places") as page:
        await page.get_by_role("button", name="New column").tap()
        await page.get_by_label("Name").fill("Review")
        await page.get_by_role("button", name="Create").tap()
        await expect(column(page, "Review")).to_be_visible()

        await page.get_by_role("button", name="Places").tap()
        await page.get_by_role("button", name="New board").tap()
        await page.get_by_label("Name").fill("Spring")
        await page.get_by_role("button", name="Create").tap()
        await expect(page.get_by_role("button", name="Spring")).to_be_visible()
        await expect(page.get_by_role("button", name="New column")).to_be_visible()

        for expected in (True, False):
            await page.get_by_role("button", name="Settings").tap()
            moved = page.get_by_role("checkbox", name="Moved tasks")
            await expect(moved).to_be_checked(checked=expected)
            if expected:
                assert await barriers(page) == []
                async with page.expect_response(re.compile("/notifications")):
                    await moved.tap()
                await page.get_by_role("button", name="Close").tap()
        await page.get_by_role("button", name="Sign out").tap()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("way", ["start_param", "startapp"])
@pytest.mark.parametrize("chosen", ["Link", "First"])
async def test_link_to_a_card(app: MiniApp, way: str, chosen: str) -> None:
    """A link, and a button in the chat, open one card, whichever board was chosen before."""
    link: dict[str, Any] = {way: f"t_{(await app.tasks('Link'))['Clean']['id']}"}

    async with app.opened(chosen, **link) as page:
        dialog = page.get_by_role("dialog", name="Clean")
        await expect(dialog.get_by_label("Move to", exact=True)).to_have_value(
            app.ids["Doing of Link"]
        )
        await dialog.get_by_role("button", name="Close").tap()
        await expect(page.get_by_role("button", name="Link")).to_be_visible()


async def test_link_to_a_card_that_is_gone(app: MiniApp) -> None:
    """A link to a card that has been deleted says so, and shows the board that was chosen."""
    async with app.opened("Link", startapp=f"t_{'0' * 24}") as page:
        await expect(page.get_by_text("This task is no longer there.")).to_be_visible()
        await expect(card(page, "Clean")).to_be_visible()


async def test_two_people_move_the_same_card(app: MiniApp) -> None:
    """Who comes second is told so, and sees the card where the first one has put it."""
    refused = asyncio.Event()

    async def hold(route: Route) -> None:
        await refused.wait()
        await route.continue_()

    async with app.opened("Two") as page:
        await card(page, "Bake").tap()
        # The page looks at the board now and then, and must not see the first move before the second.
        await page.route(f"**/boards/{app.ids['Two']}", hold)
        await app.act("move", "Two", task="Bake", column="Done")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Move to", exact=True).select_option(label="Doing")
        await expect(page.get_by_text(MEANWHILE)).to_be_visible()
        refused.set()
        await dialog.get_by_role("button", name="Close").tap()
        await expect(card(column(page, "Done"), "Bake")).to_be_visible()
    assert (await app.tasks("Two"))["Bake"]["column"] == "Done"


async def test_without_a_connection(app: MiniApp) -> None:
    """A lost connection is told, a move without it is undone, and what was typed stays."""
    async with app.opened("Offline") as page:
        await card(page, "Bake").tap()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Description", exact=True)).to_be_enabled()
        await page.context.set_offline(True)
        await expect(page.get_by_text("No connection.")).to_be_visible()
        assert await barriers(page) == []
        await dialog.get_by_label("Move to", exact=True).select_option(label="Done")
        await expect(page.get_by_text("TeamFlame cannot be reached.")).to_be_visible()
        await expect(dialog.get_by_label("Move to", exact=True)).to_have_value(
            app.ids["To do of Offline"]
        )
        await dialog.get_by_label("Comment", exact=True).fill("Later")
        async with page.expect_event("requestfailed", lambda call: "/comments" in call.url):
            await dialog.get_by_role("button", name="Send").tap()
        await page.context.set_offline(False)
        await expect(page.get_by_text("No connection.")).to_have_count(0)
        await expect(dialog.get_by_label("Comment", exact=True)).to_have_value("Later")
        await dialog.get_by_role("button", name="Send").tap()
        await expect(dialog.get_by_role("listitem")).to_contain_text("Later")
    assert (await app.tasks("Offline"))["Bake"]["column"] == "To do"


async def test_slow_link(app: MiniApp) -> None:
    """While an answer lets one wait, the card is where it was put, and the page says that it still waits."""
    answered = asyncio.Event()

    async def hold(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    async with app.opened("Slow") as page:
        await page.route("**/move", hold)
        await card(page, "Bake").tap()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Move to", exact=True).select_option(label="Done")
        slow = page.get_by_text("The connection is slow. Still waiting…")
        await expect(slow).to_be_visible()
        await expect(dialog.get_by_label("Move to", exact=True)).to_have_value(
            app.ids["Done of Slow"]
        )
        answered.set()
        await expect(slow).to_have_count(0)
        await dialog.get_by_role("button", name="Close").tap()
        await expect(card(column(page, "Done"), "Bake")).to_be_visible()
        await _stored(app, "Slow", "Bake", "column", lambda name: name == "Done")


async def test_late_answer_puts_no_card_back(app: MiniApp) -> None:
    """An answer that was asked for before a move, and comes after it, does not show the old column again."""
    asked, released = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        headers = {k: v for k, v in route.request.headers.items() if k != "if-none-match"}
        answer = await route.fetch(headers=headers)
        asked.set()
        await released.wait()
        await route.fulfill(response=answer)

    async with app.opened("Late") as page:
        await expect(card(page, "Bake")).to_be_visible()
        await page.route(f"**/boards/{app.ids['Late']}", hold)
        await page.evaluate("dispatchEvent(new Event('online'))")
        await asked.wait()
        await card(page, "Bake").tap()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Move to", exact=True).select_option(label="Done")
        await _stored(app, "Late", "Bake", "column", lambda name: name == "Done")
        await dialog.get_by_role("button", name="Close").tap()
        await expect(card(column(page, "Done"), "Bake")).to_be_visible()

        async with page.expect_event("requestfinished"):
            released.set()
        await page.evaluate("new Promise((done) => setTimeout(done, 100))")

        assert await card(column(page, "Done"), "Bake").count() == 1


async def test_board_of_many_cards(app: MiniApp) -> None:
    """Of 500 cards only those are drawn again that somebody moves; the last one can be reached."""
    async with app.opened("Many", device=DESKTOP) as page:
        await expect(page.locator(".card")).to_have_count(MANY)
        await page.evaluate(COUNT_DRAWN)
        await card(page, "Card 0").press("Enter")
        await expect(page.get_by_role("dialog", name="Card 0")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await app.act("move", "Many", task="Card 3", column="Done")
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(card(column(page, "Done"), "Card 3")).to_be_attached()

        assert await page.evaluate("[...drawn]") == ["Card 3"]
        last = card(column(page, "Done"), "Card 3")
        await last.focus()
        await page.keyboard.press("Space")
        await expect(last).to_have_class(re.compile("is-dragged"))
        await page.keyboard.press("ArrowLeft")
        await expect(column(page, "Doing").locator(".cards")).to_have_class(re.compile("is-target"))
        await page.keyboard.press("Space")
        await expect(card(column(page, "Doing"), "Card 3")).to_be_focused()
        await _stored(app, "Many", "Card 3", "column", lambda name: name == "Doing")


async def test_outside_telegram(app: MiniApp) -> None:
    """Without Telegram the page says where it belongs, and asks for no password."""
    async with app.page(DESKTOP | {"locale": "en"}) as page:
        await page.goto(f"{app.gateway.base_url}/teamflame/app/")
        await expect(page.get_by_role("heading")).to_have_text("Open this page in Telegram")
        await expect(page.get_by_role("textbox")).to_have_count(0)
        assert await barriers(page) == []


async def test_markup_is_text(app: MiniApp) -> None:
    """What is called like markup is read as it is; none of it runs."""
    await app.act("change", "Markup", task="Bake", name=HOSTILE, text="<p>Two<br>lines</p>")
    await app.act("comment", "Markup", task=HOSTILE, text="<p>a &lt;b&gt; c</p>")

    async with app.opened("Markup") as page:
        await card(page, HOSTILE).tap()
        dialog = page.get_by_role("dialog", name=HOSTILE)
        await expect(dialog.get_by_label("Description", exact=True)).to_have_value("Two\nlines")
        await expect(dialog.get_by_role("listitem")).to_contain_text("a <b> c")
        await dialog.get_by_label("Comment", exact=True).fill(HOSTILE)
        await dialog.get_by_role("button", name="Send").tap()
        await expect(dialog.get_by_role("listitem").last).to_contain_text(HOSTILE)
        assert await page.locator("#root script, #root b").count() == 0


async def _stored(app: MiniApp, board: str, task: str, field: str, expected: Any) -> None:
    """Wait until TeamFlame has it; what a page shows at once may be undone."""

    async def look() -> bool:
        value = (await app.tasks(board))[task][field]
        return value is not None and bool(expected(value))

    await eventually(look, awaited=f"{field} of {task}")


async def _middle(place: Locator) -> tuple[float, float]:
    box = await place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def _touch(touch: Any, kind: str, point: tuple[float, float]) -> None:
    points = [{"x": point[0], "y": point[1]}]
    await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
