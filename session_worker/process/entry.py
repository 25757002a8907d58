"""Where the process of a worker begins: it receives its assignment, is confined and runs its session."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from session_worker.confinement.confinement import (
    HERE,
    claim_number,
    close_inherited,
    confine,
    seal,
)
from session_worker.process.lease import Lease, die_with_parent, name_process
from session_worker.protocol.contract import COMMANDS, Assignment, ExitCode
from session_worker.protocol.pipe import PipeBroken, receive_blocking

if TYPE_CHECKING:
    from session_worker.process.log import RecentLines

logger = logging.getLogger(__name__)


def main(connection: Any) -> NoReturn:
    """Run one worker on its end of the pipe; the exit code tells the keeper why it ended."""
    code = ExitCode.CRASHED
    try:
        code = _serve(_take_socket(connection))
    except Exception:  # the root of the process
        logger.exception("the worker crashed")
    finally:
        logging.shutdown()
        os._exit(code)


def _take_socket(connection: Any) -> socket.socket:
    """Keep this end of the pipe and close everything else that was inherited."""
    end = socket.socket(fileno=os.dup(connection.fileno()))
    close_inherited(keep=end.fileno())
    connection._handle = None  # noqa: SLF001 - closed above with the rest, and must not be closed again
    return end


def _serve(end: socket.socket) -> ExitCode:
    from session_worker.failures import is_of_storage
    from session_worker.process import log
    from session_worker.process.preload import FORKSERVER
    from session_worker.process.worker import BootFailed

    if not die_with_parent(FORKSERVER):
        return ExitCode.PARENT_GONE
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assignment = receive_blocking(end, COMMANDS)
    if assignment is None:
        return ExitCode.PARENT_GONE
    if not isinstance(assignment, Assignment):
        raise PipeBroken("the first message is not an assignment")
    lease = Lease(assignment.deadline)
    name_process(assignment.number)
    recent = log.configure(assignment)
    try:
        return _run_confined(assignment, end, lease, recent)
    except BootFailed:
        logger.exception("the worker could not start")
        return ExitCode.BOOT_FAILED
    except OSError as error:
        if not is_of_storage(error):
            raise
        logger.error("there is no place for the number's folder: %s", error)  # noqa: TRY400 - no bug of ours
        return ExitCode.STORAGE_FAILING


def _run_confined(
    assignment: Assignment, end: socket.socket, lease: Lease, recent: RecentLines
) -> ExitCode:
    from session_worker.process.preload import FORKSERVER
    from session_worker.process.worker import MemoryGauge, find_factory, run

    # Load now what will be out of reach later.
    find_factory(assignment)
    gauge = MemoryGauge()
    confine(Path(assignment.spool))
    if not die_with_parent(FORKSERVER):  # again, because a change of user has undone it
        return ExitCode.PARENT_GONE
    claim_number()
    seal()
    at_home = assignment.model_copy(update={"spool": str(HERE)})
    return asyncio.run(run(at_home, end, lease, gauge, recent))
