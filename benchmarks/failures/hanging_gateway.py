"""The gateway with numbers that hang when they are told to: `SIGUSR1` for an endless loop, `SIGUSR2` for a blocked call."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from session_worker.number import NumberSession

if TYPE_CHECKING:
    from quart import Quart

    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment
    from session_worker.session import Outbox

LONG = 3600.0  # seconds


class HangingNumber(NumberSession):
    """A real number whose event loop ends with one of two signals."""

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        super().__init__(assignment, outbox, lease)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, _run_on)
        loop.add_signal_handler(signal.SIGUSR2, time.sleep, LONG)


def _run_on() -> NoReturn:
    while True:
        pass


def create_app() -> Quart:
    # Imported late, because each worker imports this module.
    from api import app
    from api.lifecycle.lifespan import make_config
    from api.lifecycle.server_process import set_up_logging
    from api.settings import read_settings
    from supervisor.gateway import Gateway
    from supervisor.numbers.worker_pool import WorkerPool
    from supervisor.ownership import DataDirLock
    from supervisor.processes.forkserver import Forkserver
    from supervisor.store.store import Store

    settings = read_settings()
    set_up_logging(settings)
    store = Store(settings.database_url.get_secret_value(), settings.secret_key.get_secret_value())
    factory = f"{HangingNumber.__module__}:{HangingNumber.__qualname__}"
    config = replace(make_config(settings, None), session_factory=factory)
    gateway = Gateway(store, DataDirLock(settings.data_dir), config, WorkerPool(Forkserver()))
    return app.create_app(settings, gateway)
