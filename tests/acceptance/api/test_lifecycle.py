"""The life of a number over HTTP, with a real worker connected to the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.api import stage
from tests.acceptance.api.operator import ADMIN_KEY, CLIENT
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

folder, sandbox, settings = stage.folder, stage.sandbox, stage.settings
server, operator = stage.server, stage.operator


async def test_number_is_started_shown_stopped(
    server: Server, operator: Operator, number: str
) -> None:
    """POST connects the number, GET says so, DELETE takes it off the line."""
    token = await operator.start_online(server, number)

    shown = (await operator.show(server, number, token)).json()
    named = {"name": CLIENT, "number": number}
    stopped = await operator.call(server, "DELETE", "/webhook", token, named)

    assert (shown["status"], shown["restarts"], shown["last_error"]) == ("online", 0, None)
    assert shown["worker"]["pid"] in {process.pid for process in server.family} | {
        shown["worker"]["pid"]
    }
    assert stopped.json() == {"status": "offline", "was_running": True}
    assert (await operator.connections(number))["open"] == 0
    assert await operator.state(server, number, token) == "stopped"


@pytest.mark.parametrize("named", [{}, {"path_session": "vesna", "name_session": "nobody"}])
async def test_number_without_a_session_waits_for_its_login(
    server: Server, operator: Operator, number: str, named: dict[str, str]
) -> None:
    """With no session file, none named or none there, its client gets a link to log in."""
    await operator.open_account(number)

    response = await operator.start(server, number, **named)

    assert response.status_code == 201
    assert (response.json()["status"], response.json()["state"]) == ("offline", "needs_login")
    assert "/login/" in response.json()["login_url"]


async def test_one_login_serves_one_number(server: Server, operator: Operator, number: str) -> None:
    """A session that is another number's is refused: used twice Telegram would end it for both."""
    await operator.start_online(server, number)

    stolen = await operator.start(server, f"{number}9", name_session=number)

    assert (stolen.status_code, stolen.json()["error"]) == (409, "session_in_use")
    assert f"{number}9" not in await _listed(operator, server)
    assert (await operator.connections(number))["peak_per_key"] == 1
    again = await operator.call(
        *(server, "PUT", "/webhook?wait=60", ADMIN_KEY),
        {"number": number, "name_session": number},
    )
    assert again.json()["state"] == "online"


async def test_missing_file_leaves_a_login_as_it_is(
    server: Server, operator: Operator, number: str
) -> None:
    """A change that names a file which is not there costs nobody the login it has."""
    await operator.start_online(server, number)

    changed = await operator.call(
        *(server, "PUT", "/webhook?wait=60", ADMIN_KEY),
        {"number": number, "name_session": "nobody"},
    )

    assert (changed.status_code, changed.json()["state"]) == (200, "online")


@pytest.mark.parametrize(
    "named",
    [
        {"path_session": ".."},
        {"path_session": "../..", "name_session": "etc"},
        {"path_session": "/etc", "name_session": "passwd"},
        {"name_session": "/etc/passwd"},
    ],
)
async def test_session_path_stays_inside(
    server: Server, operator: Operator, number: str, named: dict[str, str]
) -> None:
    """A path that leaves SESSION_ROOT starts nothing."""
    response = await operator.start(server, number, **named)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert number not in await _listed(operator, server)


async def test_put_and_restart_come_back_online(
    server: Server, operator: Operator, number: str
) -> None:
    """PUT and restart stop the worker before the next one starts: one key, one connection."""
    token = await operator.start_online(server, number)
    change = {"number": number, "token_planfix": "another-planfix-token"}

    changed = await operator.call(server, "PUT", "/webhook?wait=60", token, change)
    restarted = await operator.call(server, "POST", f"/numbers/{number}/restart", token)

    assert changed.json() == {"status": "online", "state": "online"}
    assert restarted.status_code == 200
    await eventually(lambda: _is_online(operator, server, number, token))
    assert (await operator.connections(number))["peak_per_key"] == 1


async def test_stopped_number_starts_again_with_a_new_token(
    server: Server, operator: Operator, number: str
) -> None:
    """After DELETE a POST brings the number back; its old token opens nothing."""
    old = await operator.start_online(server, number)
    await operator.call(server, "DELETE", "/webhook", old, {"name": CLIENT, "number": number})

    again = await operator.start(server, number)

    assert (again.status_code, again.json()["state"]) == (201, "online")
    assert (await operator.show(server, number, old)).status_code == 401
    assert (await operator.show(server, number, again.json()["token"])).status_code == 200


async def test_purged_number_is_forgotten(server: Server, operator: Operator, number: str) -> None:
    """DELETE with purge leaves no trace of the number in the list."""
    token = await operator.start_online(server, number)

    await operator.call(
        server, "DELETE", "/webhook?purge=true", token, {"name": CLIENT, "number": number}
    )

    assert number not in await _listed(operator, server)


async def _listed(operator: Operator, server: Server) -> set[str]:
    answer = await operator.call(server, "GET", "/numbers", ADMIN_KEY)
    return {each["number"] for each in answer.json()["numbers"]}


async def _is_online(operator: Operator, server: Server, number: str, token: str) -> bool:
    return await operator.state(server, number, token) == "online"
