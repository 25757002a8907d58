"""The operator's web page before anybody has signed in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api import texts
from api.texts import CONSOLE
from supervisor.numbers.state import State
from tests.fakes.gateway import view
from tests.unit.api.calls import ADMIN_KEY, NUMBER

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

WORDS = re.compile(r'<script type="application/json" id="words">(.*?)</script>', re.DOTALL)


async def page_of(client: TestClientProtocol, languages: str = "en") -> str:
    response = await client.get("/console", headers={"Accept-Language": languages})
    assert response.status_code == 200
    text: str = await response.get_data(as_text=True)
    return text


async def test_page_is_guarded(client: TestClientProtocol) -> None:
    """The page loads nothing from elsewhere, sends no form, is framed, cached, referred to by nobody."""
    headers = (await client.get("/console")).headers
    policy = headers["Content-Security-Policy"].split("; ")

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Vary"] == "Accept-Language"
    assert set(policy) == {
        "default-src 'none'",
        "connect-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    }


async def test_page_holds_no_data(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Whoever has no key sees a form, whatever numbers there are."""
    before = await page_of(client)
    gateway.views[NUMBER] = view(NUMBER, "Romashka")

    assert await page_of(client) == before
    assert ADMIN_KEY not in before


async def test_page_runs_nothing_inline(client: TestClientProtocol) -> None:
    """Its policy forbids scripts and styles in the page, so there are none."""
    page = await page_of(client)

    assert (
        re.findall(r"<script(?![^>]*(?: src=|application/json))|<style|\sstyle=|\son\w+=", page)
        == []
    )
    for path in re.findall(r'(?:src|href)="(static/[^"]+)"', page):
        assert (await client.get(f"/{path}")).status_code == 200


def test_script_takes_no_markup() -> None:
    """Texts of strangers can only become text."""
    scripts = sorted((Path(texts.__file__).parents[1] / "static" / "console").glob("*.js"))
    source = "".join(script.read_text() for script in scripts)

    assert len(scripts) > 1
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "localStorage"):
        assert way not in source


@pytest.mark.parametrize(
    ("languages", "language"), [("uk-UA,uk;q=0.9,en;q=0.8", "uk"), ("en-GB", "en"), ("de", "en")]
)
async def test_page_speaks_the_operators_language(
    client: TestClientProtocol, languages: str, language: str
) -> None:
    """The browser's language, where we have it, else English; the script gets the same words."""
    page = await page_of(client, languages)
    words = WORDS.search(page)

    assert f'<html lang="{language}">' in page
    assert "object at 0x" not in page
    assert words is not None
    assert json.loads(words[1]) == CONSOLE[language]


async def test_language_is_chosen_on_the_page(client: TestClientProtocol) -> None:
    """Who chooses a language on the page gets it, whatever the browser prefers."""
    response = await client.get("/console?language=uk", headers={"Accept-Language": "en"})

    assert '<html lang="uk">' in await response.get_data(as_text=True)


def test_languages_say_the_same() -> None:
    """Each language has every text, with the same places to fill in, a word for every state."""
    english = CONSOLE["en"]

    assert {f"state_{state}" for state in State} <= set(english)
    for words in CONSOLE.values():
        assert set(words) == set(english)
        for key, text in words.items():
            assert text
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", english[key]), key
