"""The server's master process: we leave with it, we tell it when only we were asked to leave."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)


@contextmanager
def bound_to_parent() -> Iterator[None]:
    """Hypercorn runs the application in a child of its own; alone, that child would keep the port."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(parent.sentinel, _leave)
    # Hypercorn's child would die of SIGTERM at once; its master knows how to end it in order.
    loop.add_signal_handler(signal.SIGTERM, os.kill, parent.pid, signal.SIGTERM)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)


def _leave() -> None:
    logger.critical("the server's master process is gone, so this one ends too")
    logging.shutdown()
    os._exit(1)  # whoever starts the server anew needs its port and its data now
