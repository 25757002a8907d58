"""Gateways with real workers whose sessions are fakes."""

from __future__ import annotations

import os
import signal
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from supervisor.config import Config, Lifetime, Patience, Timing
from supervisor.gateway import Gateway
from supervisor.numbers.restart_policy import RestartPolicy
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.ownership import DataDirLock
from supervisor.processes.forkserver import Forkserver
from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from tests.support.waiting import ENDLESS_PATIENCE, PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from session_worker.protocol.proxy import Proxy
    from supervisor.numbers.view import View

# Only what must end by itself is given up fast: a healthy worker may wait long for the processor.
PATIENT = Timing(beat=0.2, patience=ENDLESS_PATIENCE, lease=300.0, leave=60.0, boot=0.5)
HASTY = replace(PATIENT, patience=Patience(ran=1.0), leave=3.0, terminate=0.3, dump=60.0)
POLICY = RestartPolicy(budget=3, window=600.0, first_pause=0.02, longest_pause=0.1)


def new_number(number: str, way: str = "telegram", proxy: Proxy | None = None) -> NewNumber:
    """Describe a number whose provider id is the way its fake session misbehaves."""
    return NewNumber(
        number=number,
        client="Acme",
        url_planfix="https://acme.planfix.com/webchat/api",
        token_planfix="planfix-token",
        provider_id=way,
        proxy=proxy,
    )


@dataclass(frozen=True)
class RunningGateway:
    """A gateway with the tools to disturb it."""

    gateway: Gateway

    async def add(self, number: str, way: str = "telegram") -> View:
        await self.gateway.create(new_number(number, way))
        return await self.gateway.wait_settled(number, PATIENCE)

    async def pid(self, number: str) -> int:
        view = await self.gateway.show(number)
        assert view.worker is not None, view
        return view.worker.pid

    async def misbehave(self, number: str) -> int:
        """Ask the number's session to misbehave; return the process id that it had."""
        pid = await self.pid(number)
        os.kill(pid, signal.SIGUSR1)
        return pid

    async def until(self, number: str, state: str, *, restarts: int = 0) -> View:
        def reached(view: View) -> bool:
            return view.state == state and view.restarts >= restarts

        return await self.until_true(number, reached, f"{state}, restarts {restarts}")

    async def until_true(self, number: str, what: Callable[[View], bool], awaited: str) -> View:
        async def is_true() -> bool:
            return what(await self.gateway.show(number))

        await eventually(is_true, awaited=f"{number} is {awaited}")
        return await self.gateway.show(number)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        data_dir=tmp_path,
        session_root=tmp_path / "sessions",
        api_id=1,
        api_hash="hash",
        session_factory="tests.fakes.session:FakeSession",
    )


@pytest.fixture
async def house(config: Config, sqlite_url: str) -> AsyncIterator[RunningGateway]:
    async with make_gateway(config, sqlite_url) as gateway:
        yield RunningGateway(gateway)


@pytest.fixture
async def hasty_house(config: Config, sqlite_url: str) -> AsyncIterator[RunningGateway]:
    """Give a gateway that soon gives up who does not answer."""
    async with make_gateway(config, sqlite_url, HASTY) as gateway:
        yield RunningGateway(gateway)


@pytest.fixture
async def ageing_house(config: Config, sqlite_url: str) -> AsyncIterator[RunningGateway]:
    """Give a gateway that replaces workers that use more than 64 MB."""
    lifetime = Lifetime(memory=64 << 20, variance=0.0, shortest=0.0, peak=0.0)
    async with make_gateway(config, sqlite_url, replace(PATIENT, lifetime=lifetime)) as gateway:
        yield RunningGateway(gateway)


def make_gateway(
    config: Config, database_url: str, timing: Timing = PATIENT, policy: RestartPolicy = POLICY
) -> Gateway:
    store = Store(database_url, urlsafe_b64encode(b"k" * 32).decode())
    pool = WorkerPool(Forkserver(), timing, policy)
    return Gateway(store, DataDirLock(config.data_dir), config, pool)
