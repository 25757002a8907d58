"""Starts and changes that must come to nothing, over HTTP against the real gateway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession

from tests.acceptance.api import stage
from tests.acceptance.api.operator import ADMIN_KEY, CLIENT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

folder, sandbox, settings = stage.folder, stage.sandbox, stage.settings
server, operator = stage.server, stage.operator
TOO_LONG = "x" * (80 << 10)


@pytest.mark.parametrize("kept", [0, 100, 4096, 10_000])
async def test_truncated_session_file_starts_nothing(
    server: Server, operator: Operator, folder: Path, number: str, kept: int
) -> None:
    """A session file that was cut short is refused in words, the number stays unknown."""
    await operator.bring_session(number)
    os.truncate(folder / "data" / "sessions" / f"{number}.session", kept)

    response = await operator.start(server, number, name_session=number)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "session" in str(response.json()["detail"])
    assert await _shown(operator, server, number) == []


async def test_session_of_another_data_centre_waits_for_a_login(
    server: Server, operator: Operator, folder: Path, number: str
) -> None:
    """A key that this data centre never made is told as such; the number waits, is not restarted."""
    sessions = folder / "data" / "sessions"
    sessions.mkdir(parents=True, exist_ok=True)
    session = SQLiteSession(str(sessions / number))
    session.set_dc(4, "149.154.167.91", 443)
    session.auth_key = AuthKey(os.urandom(256))
    session.save()
    session.close()

    response = await operator.start(server, number, name_session=number)

    shown = (await operator.show(server, number, response.json()["token"])).json()
    assert (response.status_code, response.json()["state"]) == (201, "needs_login")
    assert (shown["last_error"]["code"], shown["restarts"]) == ("session_unknown", 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_oversized_body_changes_nothing(
    server: Server, operator: Operator, number: str, method: str
) -> None:
    """A body that is too large is refused, the running number keeps its worker."""
    token = await operator.start_online(server, number)
    before = await _shown(operator, server, number)
    body = {"name": CLIENT, "number": number, "token_planfix": TOO_LONG}

    response = await operator.call(server, method, "/webhook", ADMIN_KEY, body)

    after = await _shown(operator, server, number)
    assert (response.status_code, response.json()["error"]) == (413, "body_too_large")
    assert [_lasting(each) for each in after] == [_lasting(each) for each in before]
    assert await operator.state(server, number, token) == "online"


async def _shown(operator: Operator, server: Server, number: str) -> list[dict[str, Any]]:
    """Give what the list of all numbers says of this one."""
    answer = await operator.call(server, "GET", "/numbers", ADMIN_KEY)
    return [each for each in answer.json()["numbers"] if each["number"] == number]


def _lasting(shown: dict[str, Any]) -> tuple[Any, ...]:
    return shown["number"], shown["state"], shown["since"], shown["worker"]["pid"]
