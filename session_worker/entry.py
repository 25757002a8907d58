"""Where a worker's process begins: it learns whose worker it is, then lives on a lease."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

from session_worker.confinement import claim_number, close_inherited, confine
from session_worker.contract import COMMANDS, Assignment, ExitCode
from session_worker.lease import Lease, die_with_parent, name_process
from session_worker.pipe import PipeBroken, receive_blocking

logger = logging.getLogger(__name__)


def main(connection: Any) -> NoReturn:
    """Run one worker over a pipe's end; the exit code tells its keeper why it ended."""
    code = ExitCode.CRASHED
    try:
        code = _serve(_take(connection))
    except Exception:  # the root of the process
        logger.exception("worker crashed")
    finally:
        logging.shutdown()
        os._exit(code)


def _take(connection: Any) -> socket.socket:
    """Keep the pipe's end, drop everything else that was inherited."""
    end = socket.socket(fileno=os.dup(connection.fileno()))
    close_inherited(keep=end.fileno())
    connection._handle = None  # noqa: SLF001 - closed above with the rest, it must not close again
    return end


def _serve(end: socket.socket) -> ExitCode:
    from session_worker import log
    from session_worker.preload import FORKSERVER
    from session_worker.worker import run

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
    log.configure(assignment)
    confine(Path(assignment.spool))
    claim_number()
    return run(assignment, end, lease)
