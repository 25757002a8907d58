"""The server process: how it starts, ends, is followed by another one."""

from __future__ import annotations

import json
import os
import signal
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import psutil
import pytest

from api.lifecycle.server_process import START_REFUSED
from supervisor.file_access import MODE
from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.api.server import BARE, forked_gateway, gateway, refused
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server


async def test_restart_brings_numbers_back(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """After SIGTERM and a new start the number is online, its token works as before."""
    async with gateway(tmp_path, settings) as first:
        await first.wait_serving()
        token = await operator.start_online(first, number)
        status = await first.end(signal.SIGTERM)
        left = await operator.connections(number)

    async with forked_gateway(tmp_path, settings) as second:
        await second.wait_ready()
        await eventually(lambda: _is_online(operator, second, number, token))

    assert (status, left["open"]) == (0, 0)
    assert (await operator.connections(number))["peak_per_key"] == 1


async def test_nothing_outlives_a_killed_server(
    server: Server, operator: Operator, number: str
) -> None:
    """SIGKILL of the gateway takes the workers with it."""
    await operator.start_online(server, number)
    family = server.family

    family[0].kill()

    await eventually(lambda: not [one for one in family if _runs(one)], awaited="all gone")


@pytest.mark.parametrize("victim", [0, 1], ids=["master", "application"])
async def test_nothing_outlives_a_process_of_a_bare_server(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str, victim: int
) -> None:
    """Without --workers 0, SIGKILL of either of hypercorn's processes takes the workers with it."""
    async with gateway(tmp_path, settings, options=BARE) as server:
        await server.wait_serving()
        await operator.start_online(server, number)
        family = server.family
        killed = [one for one in family if "resource_tracker" not in " ".join(one.cmdline())]

        killed[victim].kill()

        await eventually(lambda: not [one for one in family if _runs(one)], awaited="all gone")


async def test_second_gateway_stands_by_then_takes_over(
    server: Server, tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """Two gateways on one DATA_DIR: one works, the other waits, then goes on where it stopped."""
    token = await operator.start_online(server, number)
    async with forked_gateway(tmp_path, settings) as second:
        await second.wait_serving()

        waiting = [await second.status("/healthz"), await second.status("/readyz")]
        refused = await operator.show(second, number, token)
        refused_start = await operator.start(second, number)
        await server.end(signal.SIGKILL)
        await second.wait_ready()
        await eventually(lambda: _is_online(operator, second, number, token))

    assert waiting == [200, 503]
    assert (refused.status_code, refused_start.status_code) == (503, 503)
    assert refused.json()["error"] == "standing_by"
    assert (await operator.connections(number))["peak_per_key"] == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"SECRET_KEY": "short", "DATABASE_URL": "mysql://localhost/telefix"},
            ["  SECRET_KEY: ", "  DATABASE_URL: "],
        ),
        (
            {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/telefix"},
            ["database does not answer", "Check DATABASE_URL"],
        ),
    ],
    ids=["settings", "database"],
)
async def test_start_is_refused_in_words(
    tmp_path: Path, settings: dict[str, str], wrong: dict[str, str], said: list[str]
) -> None:
    """What stands against a start is told in a sentence, nothing else; the program ends as failed."""
    status, words = await refused(tmp_path, settings | wrong)

    assert status == START_REFUSED
    assert words.startswith("The gateway cannot start:")
    assert [sentence for sentence in said if sentence not in words] == []
    assert [noise for noise in ("Traceback", "Warning", "tracker") if noise in words] == []


async def test_bare_start_is_refused_in_words(tmp_path: Path, settings: dict[str, str]) -> None:
    """Without --workers 0 the sentence is the same, and the program does not end as if it were well."""
    status, words = await refused(tmp_path, {**settings, "ADMIN_KEY": ""}, BARE)

    assert status == -signal.SIGUSR1
    assert "ADMIN_KEY is missing" in words
    assert [noise for noise in ("Traceback", "Warning", "tracker") if noise in words] == []


async def test_other_secret_key_is_refused(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """A database written with another SECRET_KEY is not touched."""
    async with forked_gateway(tmp_path, settings) as first:
        await first.wait_serving()
        await operator.start(first, number)
        await first.end(signal.SIGTERM)
    other = settings["SECRET_KEY"].swapcase()

    status, words = await refused(tmp_path, {**settings, "SECRET_KEY": other})

    assert status == START_REFUSED
    assert "put the old key back" in words
    assert len(words.splitlines()) == 1


async def test_nothing_is_open_to_other_users(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """Under the most trusting umask nobody else can read or write anything in DATA_DIR."""
    async with gateway(tmp_path, settings, umask=0) as server:
        await server.wait_serving()
        await operator.start_online(server, number)

        folder = tmp_path / "data"
        found = [folder, *folder.rglob("*")]
        modes = {path.name: path.stat().st_mode for path in found}

    assert {"data", "sessions", "spool", "telefix.db", "telefix.db-wal", "gateway.lock"} <= set(
        modes
    )
    assert [name for name, mode in modes.items() if mode & 0o066] == []
    assert "is open to other users" not in server.log.read_text()


async def test_open_folder_is_told(tmp_path: Path, settings: dict[str, str]) -> None:
    """A DATA_DIR that others may enter is used, with the command that closes it in the log."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)

    async with forked_gateway(tmp_path, settings) as server:
        await server.wait_serving()

    said = server.log.read_text()
    assert f"DATA_DIR is open to other users (755): chmod {MODE:o} {folder}" in said
    assert "SESSION_ROOT is open" not in said


async def test_secret_key_is_changed_while_serving(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """With the new key put first the gateway says when the old one may go; without it all goes on."""
    old, new = settings["SECRET_KEY"], urlsafe_b64encode(b"n" * 32).decode()
    async with forked_gateway(tmp_path, settings) as first:
        await first.wait_serving()
        token = await operator.start_online(first, number)
        await first.end(signal.SIGTERM)

    async with forked_gateway(tmp_path, {**settings, "SECRET_KEY": f"{new},{old}"}) as second:
        await second.wait_ready()
        await eventually(lambda: "remove the older ones" in second.log.read_text())
        figures = await operator.call(second, "GET", "/metrics", ADMIN_KEY)
        await second.end(signal.SIGTERM)

    async with forked_gateway(tmp_path, {**settings, "SECRET_KEY": new}) as third:
        await third.wait_ready()
        await eventually(lambda: _is_online(operator, third, number, token))
    assert "telefix_old_key_uses 0.0" in figures.text


async def test_demo_comes_up_by_itself(tmp_path: Path) -> None:
    """SANDBOX=1 is all that is needed, at the first start as well as at the next."""
    settings = {"SANDBOX": "1", "DATA_DIR": str(tmp_path / "data")}
    for _ in range(2):
        async with gateway(tmp_path, settings) as server:
            await server.wait_serving()
            await eventually(lambda: server.log.read_text().count(": online\n") == 2)
            status = await server.end(signal.SIGTERM)

        said = server.log.read_text()
        assert f"Admin key {(tmp_path / 'data' / 'admin_key').read_text()}" in said
        assert f"Console   {server.url}/console" in said
        assert f"{server.url}/docs" in said
        assert status == 0


async def test_all_processes_write_lines_of_one_shape(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """LOG_FORMAT=json: whatever the server, the gateway or a worker says has the same fields."""
    wanted = {**settings, "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
    async with forked_gateway(tmp_path, wanted) as server:
        await server.wait_serving()
        token = await operator.start_online(server, number)
        worker = (await operator.show(server, number, token)).json()["worker"]["pid"]
        os.kill(worker, signal.SIGKILL)
        await eventually(lambda: _restarts(operator, server, number, token))
        await server.end(signal.SIGTERM)

    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    shapes = {tuple(name for name in line if name != "exception") for line in lines}
    assert shapes == {("time", "level", "logger", "pid", "number", "message")}
    assert {line["number"] for line in lines} == {None, number}
    assert len({line["pid"] for line in lines}) >= 3
    assert {"hypercorn.error", "supervisor.numbers.worker_pool"} <= {
        line["logger"] for line in lines
    }


async def _restarts(operator: Operator, server: Server, number: str, token: str) -> bool:
    shown = (await operator.show(server, number, token)).json()
    return (shown["restarts"], shown["state"]) == (1, "online")


async def _is_online(operator: Operator, server: Server, number: str, token: str) -> bool:
    return await operator.state(server, number, token) == "online"


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
