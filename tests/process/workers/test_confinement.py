"""What a worker has, what it has not."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.confinement.confinement import LANDLOCK, OWN_USER, SECCOMP, layers
from tests.process.workers.conftest import make_gateway
from tests.process.workers.watched_gateway import TOP, forkserver_of, running
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import pytest

    from supervisor.config import Config
    from tests.process.workers.conftest import RunningGateway

NUMBER = "380500000001"
SECRET = "secret-of-the-environment"


async def test_worker_inherits_no_descriptor(house: RunningGateway) -> None:
    """Beside its streams a worker holds loop, pipe, lock, gauge: no database, no listener."""
    await house.add(NUMBER)
    pid = await house.pid(NUMBER)
    loop = ["eventpoll", "socket", "socket"]
    expected = sorted([*loop, "socket", "smaps_rollup", "worker.lock"])

    # now and then it looks at its own memory
    await eventually(lambda: descriptors_of(pid) == expected, awaited=f"only {expected}")


async def test_worker_sees_no_environment(tmp_path: Path) -> None:
    """Neither the worker nor who reads its /proc finds a setting of the gateway."""
    async with running(tmp_path, 60.0, f"{NUMBER}=telegram", SECRET_KEY=SECRET) as program:
        (pid,) = await program.until_online([NUMBER])

        assert SECRET in read(program.process.pid, "environ")
        assert SECRET not in read(pid, "environ")


async def test_worker_does_not_load_the_main_program(tmp_path: Path) -> None:
    """What the gateway's own program imports, a database above all, stays out of its workers."""
    async with running(tmp_path, 60.0, f"{NUMBER}=telegram") as program:
        (pid,) = await program.until_online([NUMBER])

        assert "/sqlalchemy/" in read(program.process.pid, "maps")
        assert "/sqlalchemy/" not in read(pid, "maps")


async def test_forkserver_outlives_signals_to_the_whole_group(house: RunningGateway) -> None:
    """Ctrl-C or a platform's SIGTERM to all processes must not end the workers out of order."""
    await house.add(NUMBER)
    status = read(forkserver_of(await house.pid(NUMBER)), "status")

    ignored = int(re.findall(r"^SigIgn:\t(\w+)", status, re.MULTILINE)[0], 16)

    assert ignored & (1 << signal.SIGINT - 1)
    assert ignored & (1 << signal.SIGTERM - 1)


async def test_worker_lives_in_its_own_folder(house: RunningGateway, config: Config) -> None:
    """Its working directory is the number's spool, closed to others."""
    await house.add(NUMBER)
    pid = await house.pid(NUMBER)
    spool = config.spool_of(NUMBER)

    assert link(pid, "cwd") == spool.resolve()
    assert spool.stat().st_mode & 0o077 == 0


async def test_worker_shows_its_number(house: RunningGateway) -> None:
    """Who looks at the processes of the machine sees whose is whose."""
    await house.add(NUMBER)

    assert read(await house.pid(NUMBER), "comm").strip() == NUMBER


async def test_worker_lives_within_limits(house: RunningGateway) -> None:
    """No dump writes the session key to the disk; files, memory run out for this worker alone."""
    await house.add(NUMBER)

    limits = read(await house.pid(NUMBER), "limits")

    assert re.search(r"Max core file size\s+0\s+0\s", limits)
    assert re.search(r"Max open files\s+256\s+256\s", limits)
    assert re.search(rf"Max address space\s+{1 << 30}\s+{1 << 30}\s", limits)


async def test_worker_gains_no_privileges(house: RunningGateway) -> None:
    """Each layer that the system offers is in force, in the worker alone."""
    await house.add(NUMBER)
    pid = await house.pid(NUMBER)
    mine, its = (privileges_of(each) for each in (forkserver_of(pid), pid))

    offered = layers()
    assert its["NoNewPrivs"] == ("1" if offered[LANDLOCK] or offered[SECCOMP] else "0")
    assert its["Seccomp"] == ("2" if offered[SECCOMP] else mine["Seccomp"])
    if offered[OWN_USER]:
        assert int(its["CapPrm"], 16) == 0
        assert its["Groups"] == ""
        assert its["Uid"] != mine["Uid"]


async def test_gateway_tells_how_workers_are_confined(
    config: Config, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads once which layers the system has, which it has not."""
    with caplog.at_level(logging.INFO):
        async with make_gateway(config, sqlite_url):
            pass

    for layer, is_there in layers().items():
        word = "workers are confined by" if is_there else "workers run without"
        (told,) = [text for text in caplog.messages if text.startswith(word)]
        assert layer in told


def test_supervisor_does_not_import_telethon() -> None:
    """What only workers use stays out of the process that serves."""
    program = (
        "import sys, supervisor.gateway\n"
        "sys.exit(any(name in sys.modules for name in ('telethon', 'session_worker.process.preload')))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=TOP, check=False)

    assert done.returncode == 0


def descriptors_of(pid: int) -> list[str]:
    """Tell what a process holds open beside its standard streams."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if int(entry.name) > 2:
            with suppress(FileNotFoundError):  # it has been closed since it was listed
                links.append(entry.readlink().name)
    return sorted(re.sub(r"anon_inode:|:?\[|\d*\]", "", link) for link in links)


def privileges_of(pid: int) -> dict[str, str]:
    lines = (line.split(":", 1) for line in read(pid, "status").splitlines())
    return {name: value.strip() for name, value in lines}


def read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def link(pid: int, name: str) -> Path:
    return Path(f"/proc/{pid}/{name}").resolve()
