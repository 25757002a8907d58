"""A number is logged in over the API, against a data centre that speaks Telegram's protocol."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.api.server import forked_gateway
from tests.acceptance.login.phone import PASSWORD, Phone, new_phone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_code_logs_in(phone: Phone) -> None:
    """Two calls bring a number online; the login's key is never in use twice at a time."""
    begun = await phone.begin("code")
    await phone.until("needs_code")
    entered = await phone.enter(code=phone.code)

    assert begun == {"state": "needs_code"}
    assert (entered.status_code, entered.json()) == (200, {"state": "online"})
    assert (await phone.show())["last_error"] is None
    connections = await phone.operator.connections(phone.number)
    assert (connections["open"], connections["peak_per_key"], connections["logins"]) == (1, 1, 1)


async def test_wrong_code_allows_another_try(phone: Phone) -> None:
    """Who mistypes is told so, then goes on."""
    await phone.begin("code")

    wrong = await phone.enter(code="1")
    right = await phone.enter(code=f"{phone.code[:2]}-{phone.code[2:]}")

    assert (wrong.status_code, wrong.json()["error"]) == (400, "code_invalid")
    assert right.json() == {"state": "online"}


async def test_expired_code_needs_a_new_one(phone: Phone) -> None:
    """An expired code ends the login; the next one begins with a new code."""
    await phone.begin("code")
    await phone.fail("PHONE_CODE_EXPIRED", "auth.signIn")

    expired = await phone.enter(code=phone.code)
    late = await phone.enter(code=phone.code)

    assert (expired.status_code, expired.json()["error"]) == (400, "code_expired")
    assert (late.status_code, late.json()["error"]) == (409, "not_logging_in")
    await phone.until("needs_login")
    await phone.begin("code")
    assert (await phone.enter(code=phone.code)).json() == {"state": "online"}


async def test_password_follows_the_code(guarded: Phone) -> None:
    """A wrong password says so, allows another try."""
    await guarded.begin("code")

    halfway = await guarded.enter(code=guarded.code)
    wrong = await guarded.enter(password="guess")
    right = await guarded.enter(password=PASSWORD)

    assert halfway.json() == {"state": "needs_password"}
    assert (wrong.status_code, wrong.json()["error"]) == (400, "password_invalid")
    assert right.json() == {"state": "online"}


async def test_scanned_qr_code_logs_in(phone: Phone) -> None:
    """The owner scans, the number comes online by itself."""
    begun = await phone.begin("qr")
    drawn = await phone.operator.call(
        phone.server, "GET", f"/numbers/{phone.number}/login/qr.svg", phone.token
    )
    await phone.scan(begun["qr_url"])

    assert begun["state"] == "needs_login"
    assert begun["expires_at"] > "2"
    assert drawn.headers["Content-Type"] == "image/svg+xml"
    assert drawn.content.startswith(b"<?xml")
    await phone.until("online")


async def test_password_follows_the_qr_code(guarded: Phone) -> None:
    """A scan does not stand in for the password."""
    begun = await guarded.begin("qr")

    await guarded.scan(begun["qr_url"])
    await guarded.until("needs_password")

    assert (await guarded.enter(password=PASSWORD)).json() == {"state": "online"}


async def test_stranger_who_scans_is_told_apart(phone: Phone, operator: Operator) -> None:
    """Another account's login is ended at once, with words that say what happened."""
    stranger = f"{int(phone.number) + 500}"
    await operator.open_account(stranger)
    begun = await phone.begin("qr")

    await phone.scan(begun["qr_url"], stranger)

    await phone.until_error("wrong_account")
    assert (await phone.show())["state"] == "needs_login"
    assert (await operator.connections(stranger))["open"] == 0


async def test_flood_wait_is_told(phone: Phone) -> None:
    """Who must wait is told how long, in the header as well as in words; nothing is left open."""
    await phone.fail("FLOOD_WAIT_600", "auth.sendCode")

    response = await phone.post("login", {"method": "code"})

    assert (response.status_code, response.json()["error"]) == (429, "flood_wait")
    assert response.headers["Retry-After"] == "600"
    assert "600 s" in response.json()["detail"]
    await phone.until("needs_login")


async def test_banned_phone_is_told(phone: Phone) -> None:
    """A ban is no wrong code, shows in the state."""
    await phone.trouble(kind="ban", phone=phone.number)

    response = await phone.post("login", {"method": "code"})

    assert (response.status_code, response.json()["error"]) == (400, "login_refused")
    await phone.until("banned")


async def test_login_begun_again_replaces_the_first(phone: Phone) -> None:
    """Whoever changes their mind starts anew; the first login is taken back."""
    first = await phone.begin("qr")
    await phone.begin("code")

    late = await phone.operator._http.post(
        f"{phone.operator._sandbox_url}/telegram/qr",
        json={"phone": phone.number, "url": first["qr_url"]},
    )
    entered = await phone.enter(code=phone.code)

    assert late.status_code in {200, 400}
    assert entered.json() == {"state": "online"}
    assert (await phone.operator.connections(phone.number))["logins"] == 1


@pytest.mark.parametrize("entry", [{"code": "12345"}, {"password": "guess"}])
async def test_step_out_of_turn_is_refused(phone: Phone, entry: dict[str, str]) -> None:
    """Nothing can be entered before a login was begun; the password not before the code."""
    early = await phone.enter(**entry)
    await phone.begin("qr")
    out_of_turn = await phone.enter(**entry)

    assert (early.status_code, early.json()["error"]) == (409, "not_logging_in")
    assert (out_of_turn.status_code, out_of_turn.json()["error"]) == (409, "not_logging_in")


async def test_logged_in_number_needs_no_login(
    server: Server, operator: Operator, number: str
) -> None:
    """A login must not push a working session aside."""
    token = await operator.start_online(server, number)

    response = await operator.call(
        server, "POST", f"/numbers/{number}/login", token, {"method": "qr"}
    )

    assert (response.status_code, response.json()["error"]) == (409, "logged_in")
    await Phone(operator, server, number, {"token": token, "login_url": ""}).until("online")


async def test_gateway_that_restarts_forgets_the_login(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """A restart in the middle ends in needs_login, with no line to Telegram left."""
    settings = settings | {"DATA_DIR": str(tmp_path / "data")}
    async with forked_gateway(tmp_path, settings) as first:
        await first.wait_serving()
        phone = await new_phone(operator, first, number, password=PASSWORD)
        await phone.begin("code")
        await phone.enter(code=phone.code)
        await first.end(signal.SIGKILL)

    async with forked_gateway(tmp_path, settings) as second:
        await second.wait_ready()
        phone.server = second
        await phone.until("needs_login")

        late = await phone.enter(password=PASSWORD)

        assert (late.status_code, late.json()["error"]) == (409, "not_logging_in")
        assert (await operator.connections(number))["open"] == 0


@pytest.mark.parametrize(
    ("kind", "error"), [("revoke", "session_revoked"), ("duplicate", "session_duplicated")]
)
async def test_lost_session_is_made_good_by_a_login(
    server: Server, operator: Operator, number: str, kind: str, error: str
) -> None:
    """The number waits, says who must do what, comes back with the next login."""
    token = await operator.start_online(server, number)
    phone = Phone(operator, server, number, {"token": token, "login_url": ""})
    await phone.trouble(kind=kind, phone=number)
    await phone.trouble(kind="cut")  # the next line is told at once, this one at the next poll
    await phone.until("needs_login")
    lost = await phone.show()

    begun = await phone.begin("qr")
    await phone.scan(begun["qr_url"])
    await phone.until("online")

    assert (lost["status"], lost["last_error"]["code"]) == ("offline", error)
    assert lost["last_error"]["action"].startswith("Клиенту:")
    assert (await phone.show())["last_error"] is None


async def test_purge_ends_the_session_at_telegram(
    server: Server, operator: Operator, number: str
) -> None:
    """After a purge nothing is logged in to the account any more, as the audit log says."""
    token = await operator.start_online(server, number)
    exported = await operator.call(
        server, "POST", f"/numbers/{number}/session/export", ADMIN_KEY, {"format": "string"}
    )
    named = {"name": "Romashka", "number": number}

    await operator.call(server, "DELETE", "/webhook?purge=true", token, named)

    again = await operator.start(server, number, string_session=exported.json()["string_session"])
    assert again.json()["state"] == "needs_login"
    listed = await operator.call(server, "GET", f"/audit?number={number}", ADMIN_KEY)
    done = [(entry["who"], entry["action"]) for entry in listed.json()["entries"]]
    assert done[:5] == [
        ("operator", "started"),
        ("client", "purged"),
        ("gateway", "logged_out"),
        ("operator", "session_exported"),
        ("operator", "started"),
    ]


async def test_session_travels_as_text(server: Server, operator: Operator, number: str) -> None:
    """What Telethon calls a StringSession goes in, comes out the same."""
    await operator.open_account(number)
    made = await operator._control("POST", "/telegram/sessions", phone=number)

    started = await operator.start(server, number, string_session=made["string_session"])
    exported = await operator.call(
        server, "POST", f"/numbers/{number}/session/export", ADMIN_KEY, {"format": "string"}
    )

    assert started.json()["state"] == "online"
    assert exported.json() == {"string_session": made["string_session"]}


async def test_no_secret_of_a_login_reaches_the_log(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """Code, password, link, QR token: even the most talkative log knows none of them."""
    chatty = {"LOG_LEVEL": "DEBUG", "DATA_DIR": str(tmp_path / "data")}
    async with forked_gateway(tmp_path, settings | chatty) as server:
        await server.wait_serving()
        phone = await new_phone(operator, server, number, password=PASSWORD)
        qr_url = (await phone.begin("qr"))["qr_url"]
        await operator._http.get(phone.login_url)
        await phone.begin("code")
        await phone.enter(code="wrong-code-31415")
        await phone.enter(code=phone.code)
        await phone.enter(password="wrong-guess-27182")
        await phone.enter(password=PASSWORD)
        await server.end(signal.SIGTERM)

    said = server.log.read_text()
    entered = [PASSWORD, "wrong-code-31415", "wrong-guess-27182"]
    secrets = [*entered, qr_url.partition("=")[2], phone.login_url.split("/")[-2], phone.token]
    assert [secret for secret in secrets if secret in said] == []
    assert f" {phone.code}" not in said
