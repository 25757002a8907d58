"""The one-time login page: what it shows to whom, what it refuses."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from api.texts import LOGIN_PAGE, complain
from supervisor.errors import DatabaseUnavailable, LoggedInAlready, LoginFlood, WrongAccount
from supervisor.numbers.state import State
from supervisor.store.values import LastError
from tests.fakes.gateway import view
from tests.fakes.logins import CODE, PASSWORD, QR_URL
from tests.unit.api.calls import FORM, NUMBER

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

    from tests.fakes.gateway import FakeGateway

EN = {"Accept-Language": "en"}


@pytest.fixture
async def page(gateway: FakeGateway) -> str:
    """Give the path of a page whose number waits for its login."""
    gateway.views[NUMBER] = view(NUMBER, "Romashka", state=State.NEEDS_LOGIN, worker=None)
    return f"/login/{(await gateway.links.make(NUMBER)).secret}/"


async def send(client: TestClientProtocol, page: str, **form: str) -> Response:
    return await client.post(page, form=form, headers=EN)


async def text_of(response: Response) -> str:
    text: str = await response.get_data(as_text=True)
    return text


async def test_steps_lead_on(client: TestClientProtocol, page: str) -> None:
    """Every step answers with a redirect, so that a reload sends nothing twice; the last says done."""
    steps = [await send(client, page, method="code"), await send(client, page, code=CODE)]
    password = await text_of(await client.get(page, headers=EN))
    done = await send(client, page, password=PASSWORD)

    assert [(step.status_code, step.headers["Location"]) for step in steps] == [(303, "./")] * 2
    assert 'type="password"' in password
    assert (done.status_code, "The number is connected" in await text_of(done)) == (200, True)


async def test_hint_is_text(client: TestClientProtocol, page: str) -> None:
    """The hint that the account's owner has set is shown, not run."""
    await send(client, page, method="code")
    await send(client, page, code=CODE)

    assert "Hint: &lt;b&gt;my&lt;/b&gt; dog" in await text_of(await client.get(page, headers=EN))


async def test_client_name_is_text(
    client: TestClientProtocol, gateway: FakeGateway, page: str
) -> None:
    """A company that is called like a script runs nowhere."""
    gateway.views[NUMBER] = replace(gateway.views[NUMBER], client="<script>alert(1)</script>{t}")

    text = await text_of(await client.get(page))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;{t}" in text
    assert "<script>" not in text


async def test_qr_token_is_only_drawn(client: TestClientProtocol, page: str) -> None:
    """The page holds a picture, a version, never the token."""
    await send(client, page, method="qr")

    shown = await text_of(await client.get(page))
    drawn = await client.get(f"{page}qr.svg")
    state = await client.get(f"{page}state")

    assert drawn.content_type == "image/svg+xml"
    assert (await state.get_json())["stage"] == "qr"
    assert (await state.get_json())["version"] in shown
    for text in (shown, await text_of(drawn), await text_of(state)):
        assert QR_URL not in text
        assert QR_URL.partition("=")[2] not in text


async def test_no_picture_without_a_qr_login(client: TestClientProtocol, page: str) -> None:
    """There is nothing to draw before a login by QR has begun."""
    assert (await client.get(f"{page}qr.svg")).status_code == 404


@pytest.mark.parametrize("secret", ["x", "%00", "secret-of-0-0", "a" * 5000, "..%2f..%2fetc"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unknown_link_is_dead(
    client: TestClientProtocol, gateway: FakeGateway, page: str, method: str, secret: str
) -> None:
    """A guessed link tells nothing, begins nothing."""
    for path in ("", "state", "qr.svg"):
        response = await client.open(f"/login/{secret}/{path}", method=method, json={})
        assert response.status_code in {404, 405, 410}

    assert gateway.logins.open == {}


async def test_used_link_does_nothing(
    client: TestClientProtocol, gateway: FakeGateway, page: str
) -> None:
    """After the login the page says so; its forms are dead."""
    gateway.links.given = {
        secret: replace(link, is_used=True) for secret, link in gateway.links.given.items()
    }

    shown = await client.get(page, headers=EN)
    sent = await send(client, page, method="qr")

    assert (shown.status_code, sent.status_code) == (410, 410)
    assert "The number is connected" in await text_of(shown)
    assert "<form" not in await text_of(shown)
    assert await (await client.get(f"{page}state")).get_json() == {"stage": "done"}
    assert gateway.logins.open == {}


async def test_page_is_guarded(client: TestClientProtocol, page: str) -> None:
    """The page loads nothing from elsewhere, is framed, cached, referred to by nobody."""
    for path in (page, f"{page}state", "/login/x/"):
        headers = (await client.get(path)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    policy = (await client.get(page)).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
async def test_forms_of_other_sites_are_refused(
    client: TestClientProtocol,
    gateway: FakeGateway,
    page: str,
    headers: dict[str, str],
    is_taken: bool,
) -> None:
    """Another site can't begin a login, even if it knew the link."""
    response = await client.post(page, form={"method": "qr"}, headers=headers)

    assert response.status_code == (303 if is_taken else 403)
    assert bool(gateway.logins.open) is is_taken


@pytest.mark.parametrize(
    "body", [b"", b"{", b"method=magic", b"nothing=1", b"method=qr&method=code", b"\xff=1"]
)
async def test_nonsense_is_answered_with_a_page(
    client: TestClientProtocol, gateway: FakeGateway, page: str, body: bytes
) -> None:
    """Whatever is sent, a person reads a page, not a traceback."""
    response = await client.post(page, data=body, headers={"Content-Type": FORM, **EN})

    assert response.status_code == 400
    assert "That did not work" in await text_of(response)
    assert gateway.logins.open == {}


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (LoginFlood(7000), 429, "wait 2 h before"),
        (LoginFlood(None), 429, "several hours"),
        (WrongAccount(), 400, "another Telegram account"),
        (DatabaseUnavailable("secret inside"), 503, "Something is not working on our side"),
    ],
)
async def test_trouble_is_told_in_words(
    client: TestClientProtocol,
    gateway: FakeGateway,
    page: str,
    error: Exception,
    status: int,
    said: str,
) -> None:
    """What goes wrong is said as people say it, without our inside."""
    gateway.logins.broken = error

    response = await send(client, page, method="code")

    assert response.status_code == status
    assert said in await text_of(response)
    assert "secret inside" not in await text_of(response)


async def test_number_that_is_logged_in_meanwhile(
    client: TestClientProtocol, gateway: FakeGateway, page: str
) -> None:
    """Who begins a login that is no longer needed is told that all is well."""
    gateway.logins.broken = LoggedInAlready()
    gateway.logins.closed = replace(gateway.logins.closed, state=State.ONLINE)
    gateway.views[NUMBER] = replace(gateway.views[NUMBER], state=State.ONLINE)

    assert "The number is connected" in await text_of(await send(client, page, method="qr"))


async def test_reason_of_the_last_failure_is_shown(
    client: TestClientProtocol, gateway: FakeGateway, page: str
) -> None:
    """A scan by another account shows up on the page that waited for it."""
    error = LastError("wrong_account", "m", "a")
    gateway.views[NUMBER] = replace(gateway.views[NUMBER], last_error=error)

    assert "another Telegram account" in await text_of(await client.get(page, headers=EN))


@pytest.mark.parametrize(
    ("languages", "title"),
    [
        ("uk-UA,uk;q=0.9,en;q=0.8", "Вхід у Telegram"),
        ("en-GB,en", "Log in to Telegram"),
        ("de,fr", "Log in to Telegram"),
        ("", "Вход в Telegram"),
        ("*;q=x,,;", "Вход в Telegram"),
    ],
)
async def test_page_speaks_the_visitors_language(
    client: TestClientProtocol, page: str, languages: str, title: str
) -> None:
    """The browser's language, where we have it, else English; without a wish, the gateway's."""
    response = await client.get(page, headers={"Accept-Language": languages})

    assert title in await text_of(response)
    assert response.headers["Vary"] == "Accept-Language"


def test_languages_say_the_same() -> None:
    """Each language has every text, with the same places to fill in."""
    english = LOGIN_PAGE["en"]

    for words in LOGIN_PAGE.values():
        assert set(words) == set(english)
        for key, text in words.items():
            assert text.count("{") == english[key].count("{"), key


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [(1, "1 s"), (59.2, "60 s"), (61, "2 min"), (3600, "1 h"), (86_000, "24 h")],
)
def test_wait_is_said_as_people_say_it(seconds: float, wait: str) -> None:
    """Rounded up, so that nobody comes back too early."""
    assert f"wait {wait} before" in complain("flood_wait", LOGIN_PAGE["en"], seconds)


async def test_link_without_its_slash_leads_there(client: TestClientProtocol, page: str) -> None:
    """Messengers cut trailing slashes off; the way on keeps to the visitor's scheme and host."""
    short = page.rstrip("/")
    response = await client.get(short, headers={"Host": "evil.example"})

    assert response.status_code == 308
    assert urljoin(f"https://gateway.example{short}", response.headers["Location"]) == (
        f"https://gateway.example{page}"
    )
    assert await response.get_data() == b""
