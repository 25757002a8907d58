"""A worker that was taken over gets nothing of anybody else."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from multiprocess import forkserver

from session_worker.confinement.confinement import OWN_USER, USERS, layers
from tests.fakes.attacks import ALLOWED, ATTACKS, REFUSED, Targets
from tests.fakes.hostile import REPORT, TARGETS
from tests.process.workers.conftest import RunningGateway, make_gateway
from tests.process.workers.watched_gateway import TOP, forkserver_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.config import Config

NEIGHBOUR = "380500000001"
HOSTILE = "380500000099"
IN_FORCE = {layer for layer, is_there in layers().items() if is_there}


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def targets(tmp_path: Path, port: int) -> Targets:
    """Give what there is to be had, all readable for who gets that far."""
    spools = tmp_path / "spool"
    spools.mkdir(mode=0o700)
    (spools / NEIGHBOUR).mkdir()
    places = [spools / NEIGHBOUR / "file", tmp_path / "some.db", tmp_path / ".env"]
    for place in places:
        place.write_text("secret")
    file, database, settings = map(str, places)
    return Targets(
        supervisor=os.getpid(),
        forkserver=os.getpid(),
        neighbour=os.getpid(),
        neighbours_file=file,
        spools=str(spools),
        database=database,
        settings=settings,
        temporary=str(tmp_path),
        fork_socket=str(tmp_path / "nobody"),
        port=port,
    )


async def test_hostile_worker_gets_nothing(
    config: Config, sqlite_url: str, tmp_path: Path, targets: Targets
) -> None:
    """Files, database, settings, memory, descriptors, signals, other programs: all out of reach."""
    spool = config.spool_of(HOSTILE)
    spool.mkdir()
    hostile = replace(config, session_factory="tests.fakes.hostile:HostileSession")
    async with make_gateway(hostile, sqlite_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(NEIGHBOUR)
        neighbour = await house.pid(NEIGHBOUR)
        real = {
            "neighbour": neighbour,
            "forkserver": forkserver_of(neighbour),
            "database": str(tmp_path / "telefix.db"),
            "fork_socket": forkserver._forkserver._forkserver_address,
        }
        (spool / TARGETS).write_text(targets.model_copy(update=real).model_dump_json())

        await house.add(HOSTILE)
        await house.until(HOSTILE, "online")
        report = json.loads((spool / REPORT).read_text())

        assert report.pop("hoard memory") == "MemoryError"
        assert report == expected(IN_FORCE)
        assert (await gateway.show(NEIGHBOUR)).restarts == 0


@pytest.mark.parametrize("layer", sorted(IN_FORCE))
async def test_each_layer_holds_alone(layer: str, tmp_path: Path, targets: Targets) -> None:
    """What several layers stop is stopped by each of them, should the others fail."""
    own = tmp_path / "spool" / HOSTILE
    own.mkdir()
    sleeper = await asyncio.create_subprocess_exec("sleep", "600")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.process.workers.single_layer", layer),
        targets.model_copy(update={"neighbour": sleeper.pid}).model_dump_json(),
        stdout=asyncio.subprocess.PIPE,
        cwd=own,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )
    said, _ = await process.communicate()
    sleeper.kill()
    await sleeper.wait()

    found = json.loads(said)
    assert {name: found[name] for name in expected({layer})} == expected({layer})


async def test_numbers_have_users_of_their_own(house: RunningGateway, config: Config) -> None:
    """Where the gateway is root no two numbers share a user; a number keeps its own."""
    for number in (NEIGHBOUR, HOSTILE):
        await house.add(number, "exit")
    users = [config.spool_of(number).stat().st_uid for number in (NEIGHBOUR, HOSTILE)]

    await house.misbehave(HOSTILE)
    await house.until(HOSTILE, "online", restarts=1)

    if OWN_USER in IN_FORCE:
        assert all(user in USERS for user in users)
        assert len(set(users)) == 2
    assert [config.spool_of(number).stat().st_uid for number in (NEIGHBOUR, HOSTILE)] == users


def expected(in_force: set[str]) -> dict[str, str]:
    """Tell how each attempt has to end that these layers decide; what is harmless must go on."""
    return {
        name: REFUSED if attack.stopped_by else ALLOWED
        for name, attack in ATTACKS.items()
        if attack.stopped_by & in_force or not attack.stopped_by
    }
