"""What running under hypercorn needs: its log, its master process, and a start that is refused."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import SemLock
from typing import TYPE_CHECKING, Any, NoReturn

from session_worker.process.log import set_up as set_up_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.settings import Settings
    from supervisor.nodes.node import Node


START_REFUSED = 78  # EX_CONFIG of sysexits.h: starting again changes nothing
_SERVER = "hypercorn.error"
_CONNECTION = "Unhandled exception in client_connected_cb"
_OF_STREAMS = "priority"  # the package that the server uses to order HTTP/2 streams


def set_up_logging(settings: Settings) -> None:
    secrets = (
        settings.admin_key.get_secret_value(),
        *settings.secret_key.get_secret_value().split(","),
        settings.telegram_api_hash.get_secret_value(),
    )
    handler = set_up_log(settings.log_level, settings.log_format, secrets)
    logging.getLogger(_SERVER).addFilter(partial(_handle_instead, handler))
    logging.getLogger("asyncio").addFilter(shorten_lost_connection)


def shorten_lost_connection(record: logging.LogRecord) -> bool:
    """Log in one line what any stranger can cause; the server would log a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    causes: list[BaseException] = [error] if error else []
    while any(isinstance(each, BaseExceptionGroup) for each in causes):
        causes = [one for each in causes for one in getattr(each, "exceptions", (each,))]
    is_of_server = record.getMessage().startswith(_CONNECTION)
    if is_of_server and causes and all(map(_is_strangers_doing, causes)):
        record.msg, record.args = "a connection was closed: %s", (type(causes[0]).__name__,)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = None
    return True


def _is_strangers_doing(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith(_OF_STREAMS)


def _handle_instead(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Keep a record away from the server's own handler, which redacts nothing."""
    handler.handle(record)
    return False


class StartRefused(Exception):
    """The gateway cannot start; the message tells its operator why."""


def exit_refused(sentence: str) -> NoReturn:
    """Print why the start is refused, and exit with a status of its own."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    master = multiprocessing.parent_process()
    if master is not None and master.pid is not None and "hypercorn" in sys.argv[0]:
        # Without --workers 0, Hypercorn's master would exit with 0 when its child fails.
        _clear_semaphores()
        os.kill(master.pid, signal.SIGUSR1)
    os._exit(START_REFUSED)


def _clear_semaphores() -> None:
    """Remove the semaphores that Hypercorn's master shares with us.

    A master that a signal ends cannot do so, and Python would print long warnings below our
    message.
    """
    for held in gc.get_objects():
        if issubclass(type(held), SemLock):  # isinstance would call into proxies that are not bound
            shared: Any = held
            shared._cleanup(shared._semlock.name)  # noqa: SLF001 - no public attribute has its name


logger = logging.getLogger(__name__)


@contextmanager
def follow_server_master() -> Iterator[None]:
    """Exit when Hypercorn's master process does.

    Without --workers 0, Hypercorn runs the application in a child, which would keep the port.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(parent.sentinel, _leave)
    # SIGTERM would kill Hypercorn's child at once; its master knows how to stop it in order.
    loop.add_signal_handler(signal.SIGTERM, os.kill, parent.pid, signal.SIGTERM)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)


@contextmanager
def drain_before_stop(node: Node) -> Iterator[None]:
    """Move the numbers to other nodes at SIGTERM, while calls are still answered.

    Under Hypercorn's master process, that happens only after the server has stopped.
    """
    if multiprocessing.parent_process() is not None:
        yield
        return
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    def begin() -> None:
        if not draining:
            draining.append(asyncio.create_task(_drain_and_stop(node), name="draining"))

    loop.add_signal_handler(signal.SIGTERM, begin)
    try:
        yield
    finally:
        for task in draining:
            task.cancel()


async def _drain_and_stop(node: Node) -> None:
    try:
        await node.drain()
    finally:
        signal.raise_signal(signal.SIGINT)  # which Hypercorn handles like SIGTERM


def _leave() -> None:
    logger.critical("the server's master process is gone, so this process exits too")
    logging.shutdown()
    os._exit(1)  # a server that is started again needs the port and the data now
