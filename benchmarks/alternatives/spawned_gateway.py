"""The gateway with each worker spawned as a fresh interpreter, instead of forked from a warm one."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import multiprocess

from api import app
from api.lifecycle.lifespan import make_config
from api.lifecycle.server_process import set_up_logging
from api.settings import read_settings
from session_worker.confinement.confinement import get_ready
from session_worker.network.guarded_transport import tls_context
from session_worker.process import entry
from supervisor.config import Patience, Timing
from supervisor.gateway import Gateway
from supervisor.numbers.worker_pool import WorkerPool
from supervisor.ownership import DataDirLock
from supervisor.processes.forkserver import Child, Forkserver
from supervisor.store.store import Store

if TYPE_CHECKING:
    from quart import Quart

PRELOAD = "session_worker.process.preload"
# What a worker can no longer import once it is confined.
NEEDED = (
    "anyio._backends._asyncio",
    "encodings.idna",
    "httpcore",
    "importlib.readers",
    "session_worker.number",
    "session_worker.process.log",
    "session_worker.process.worker",
    "stringprep",
)
LONG = 300.0  # seconds; on a busy machine the imports of a worker take longer than a worker may be silent otherwise


class Spawner(Forkserver):
    """Starts each worker with all its imports."""

    def __init__(self) -> None:
        super().__init__()
        self._context = multiprocess.get_context("spawn")

    async def warm_up(self) -> None:
        """Do nothing, because there is nothing that all workers share."""

    def _fork_once(self) -> Child:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run_worker, args=(theirs,), daemon=True)
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")  # a child would import the web server
        try:
            process.start()
        finally:
            sys.modules["__main__"] = main
        descriptor = os.pidfd_open(process.pid)
        end = socket.socket(fileno=os.dup(ours.fileno()))
        ours.close()
        theirs.close()
        return Child(process.pid, descriptor, end, process)


def run_worker(connection: Any) -> None:
    """Run a worker whose parent is the gateway, without what the forkserver prepares for all workers."""
    shared: Any = ModuleType(PRELOAD)
    shared.FORKSERVER = os.getppid()
    sys.modules[PRELOAD] = shared
    for name in NEEDED:
        importlib.import_module(name)
    tls_context()
    get_ready()
    entry.main(connection)


def create_app() -> Quart:
    settings = read_settings()
    set_up_logging(settings)
    store = Store(settings.database_url.get_secret_value(), settings.secret_key.get_secret_value())
    pool = WorkerPool(Spawner(), Timing(lease=LONG, patience=Patience(ran=LONG)))
    config = make_config(settings, None)
    gateway = Gateway(store, DataDirLock(settings.data_dir), config, pool)
    return app.create_app(settings, gateway)
