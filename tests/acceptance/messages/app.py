"""The application whose numbers can be made to crash: `hypercorn "tests.acceptance.messages.app:create_app()"`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import api
from api.lifecycle.lifespan import make_config
from api.lifecycle.server_process import set_up_logging
from api.settings import read_settings
from supervisor.config import Lifetime, Timing
from supervisor.gateway import Gateway
from supervisor.numbers.restart_policy import MassFailure, RestartPolicy
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.ownership import DataDirLock
from supervisor.processes.forkserver import Forkserver
from supervisor.store.store import Store
from tests.support.waiting import ENDLESS_PATIENCE

if TYPE_CHECKING:
    from quart import Quart

# Each test kills on purpose; the pauses between restarts have tests of their own.
TIRELESS = RestartPolicy(budget=1000, first_pause=0.02, longest_pause=0.1)
NO_BRAKE = MassFailure(fewest=1000)
# Whoever halts is killed by its test, so nobody else need be thought dead.
PATIENT = Timing(patience=ENDLESS_PATIENCE, lease=90.0)


# Each worker is too old a second after its start, and replaced whenever it has no work.
SHORT_LIFE = Lifetime(age=1.0, variance=0.5, peak=0.0)


def create_app() -> Quart:
    return _create_app(PATIENT)


def create_ageing_app() -> Quart:
    return _create_app(replace(PATIENT, lifetime=SHORT_LIFE))


def _create_app(timing: Timing) -> Quart:
    settings = read_settings()
    set_up_logging(settings)
    factory = "tests.fakes.crashing:CrashingNumber"
    config = replace(make_config(settings, None), session_factory=factory)
    store = Store(settings.database_url.get_secret_value(), settings.secret_key.get_secret_value())
    pool = WorkerPool(Forkserver(), timing, TIRELESS, mass_failure=NO_BRAKE)
    gateway = Gateway(store, DataDirLock(settings.data_dir), config, pool)
    return api.create_app(settings, gateway)
