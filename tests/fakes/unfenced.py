"""A node without fences: `hypercorn "tests.fakes.unfenced:create_app()"` shows that a judge sees doubles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import api
from api.lifecycle.lifespan import make_config
from api.lifecycle.server_process import set_up_logging
from api.settings import read_settings
from supervisor.gateway import Gateway
from supervisor.nodes.lease import NodeLease
from supervisor.ownership import DataDirLock
from supervisor.store.numbers import Runs
from supervisor.store.store import Store

if TYPE_CHECKING:
    from quart import Quart


class EndlessLease(NodeLease):
    """Lets workers live on when their node cannot beat, so that the kernel's timer never ends them."""

    @property
    def deadline(self) -> float:
        return math.inf

    @property
    def is_fresh(self) -> bool:
        return True


def create_app() -> Quart:
    """Build a gateway whose node neither ends its workers in time nor has its writes checked."""
    settings = read_settings()
    set_up_logging(settings)
    store = Store(settings.database_url.get_secret_value(), settings.secret_key.get_secret_value())
    gateway = Gateway(store, DataDirLock(settings.data_dir), make_config(settings, None))
    assert gateway.node is not None
    gateway.node.lease = EndlessLease(settings.node_ttl, settings.node_takeover)
    gateway._pool.lease = gateway.node.lease
    gateway.node._runs = Runs(store.database)  # so the store's own never hears of the check
    return api.create_app(settings, gateway)
