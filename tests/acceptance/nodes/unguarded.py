"""A node whose workers outlive its lease: `hypercorn "tests.acceptance.nodes.unguarded:create_app()"`.

It has neither the kernel's timer nor the check before each write, so the judge must find doubles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import api
from api.lifecycle.lifespan import make_gateway
from api.lifecycle.server_process import set_up_logging
from api.settings import read_settings
from supervisor.config import Timing
from supervisor.nodes.lease import NodeLease

if TYPE_CHECKING:
    from quart import Quart

ENDLESS = 1e6  # seconds


class UnguardedLease(NodeLease):
    """Lets workers live on, whatever becomes of the node."""

    @property
    def deadline(self) -> float:
        return math.inf


def create_app() -> Quart:
    settings = read_settings()
    set_up_logging(settings)
    gateway = make_gateway(settings, None)
    pool = gateway._pool
    pool.timing = Timing(lease=ENDLESS)
    guarded = pool.lease
    pool.lease = UnguardedLease(guarded.ttl, guarded.takeover)
    assert gateway.node is not None
    gateway.node.lease = pool.lease
    return api.create_app(settings, gateway)
