"""The server process: how it starts, ends, is followed by another one."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.acceptance.api.server import gateway
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

TAKEOVER = 2.0  # seconds


async def test_restart_brings_numbers_back(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """After SIGTERM and a new start the number is online, its token works as before."""
    async with gateway(tmp_path, settings) as first:
        await first.wait_serving()
        token = await operator.start_online(first, number)
        status = await first.end(signal.SIGTERM)
        left = await operator.connections(number)

    async with gateway(tmp_path, settings) as second:
        await second.wait_ready()
        await eventually(lambda: _is_online(operator, second, number, token))

    assert (status, left["open"]) == (0, 0)
    assert (await operator.connections(number))["peak_per_key"] == 1


@pytest.mark.parametrize("victim", [0, 1], ids=["master", "application"])
async def test_nothing_outlives_a_killed_server(
    server: Server, operator: Operator, number: str, victim: int
) -> None:
    """SIGKILL of either of hypercorn's processes takes the workers with it within a second."""
    await operator.start_online(server, number)
    family = server.family
    killed = [
        process for process in family if "resource_tracker" not in " ".join(process.cmdline())
    ]

    killed[victim].kill()

    await eventually(lambda: not [one for one in family if _runs(one)], 1.0, awaited="all gone")


async def test_second_gateway_stands_by_then_takes_over(
    server: Server, tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """Two gateways on one DATA_DIR: one works, the other waits, then goes on where it stopped."""
    token = await operator.start_online(server, number)
    async with gateway(tmp_path, settings) as second:
        await second.wait_serving()

        waiting = [await second.status("/healthz"), await second.status("/readyz")]
        refused = await operator.show(second, number, token)
        refused_start = await operator.start(second, number)
        await server.end(signal.SIGKILL)
        async with asyncio.timeout(TAKEOVER):
            await second.wait_ready()
        await eventually(lambda: _is_online(operator, second, number, token))

    assert waiting == [200, 503]
    assert (refused.status_code, refused_start.status_code) == (503, 503)
    assert refused.json()["error"] == "standing_by"
    assert (await operator.connections(number))["peak_per_key"] == 1


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("ADMIN_KEY", "", "ADMIN_KEY is missing"),
        ("SECRET_KEY", "short", "SECRET_KEY"),
        ("DATABASE_URL", "mysql://localhost/telefix", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/telefix", "database does not answer"),
    ],
)
async def test_start_is_refused_in_words(
    tmp_path: Path, settings: dict[str, str], setting: str, value: str, said: str
) -> None:
    """What stands against a start is told in a sentence; the program ends as failed."""
    async with gateway(tmp_path, {**settings, setting: value}) as server:
        status = await server.process.wait()

    assert status != 0
    assert said in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


async def test_other_secret_key_is_refused(
    tmp_path: Path, settings: dict[str, str], operator: Operator, number: str
) -> None:
    """A database written with another SECRET_KEY is not touched."""
    async with gateway(tmp_path, settings) as first:
        await first.wait_serving()
        await operator.start(first, number)
        await first.end(signal.SIGTERM)
    other = settings["SECRET_KEY"].swapcase()

    async with gateway(tmp_path, {**settings, "SECRET_KEY": other}) as second:
        status = await second.process.wait()

    assert status != 0
    assert "put the old key back" in second.log.read_text()


@pytest.mark.timeout(60)
async def test_demo_comes_up_by_itself(tmp_path: Path) -> None:
    """SANDBOX=1 is all that is needed, at the first start as well as at the next."""
    settings = {"SANDBOX": "1", "DATA_DIR": str(tmp_path / "data")}
    for _ in range(2):
        async with gateway(tmp_path, settings) as server:
            await server.wait_serving()
            await eventually(lambda: server.log.read_text().count("is online") == 2, 20.0)
            status = await server.end(signal.SIGTERM)

        said = server.log.read_text()
        assert f"Admin key {(tmp_path / 'data' / 'admin_key').read_text()}" in said
        assert f"{server.url}/docs" in said
        assert status == 0


async def _is_online(operator: Operator, server: Server, number: str, token: str) -> bool:
    return await operator.state(server, number, token) == "online"


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
