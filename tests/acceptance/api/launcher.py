"""Forks gateways and sandboxes, each kind from a process that has loaded it, because loading takes most of a start."""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tests.acceptance.api.spare_forkserver import keep_spare_forkserver
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOP = Path(__file__).parents[3]
GATEWAY, SANDBOX = "hypercorn", "sandbox"
"""Programs that have a launcher of their own; another one is forked like the gateway, of which it is made."""
FORKSERVER = ("session_worker.number", "session_worker.process.trial")  # most of what it imports
MODULES = {
    GATEWAY: ("hypercorn.run", "hypercorn.asyncio.run", "api.app", *FORKSERVER),
    SANDBOX: ("sandbox.sandbox", "uvloop"),
}
LONGEST = 1 << 16  # bytes of an order
KILLED = -signal.SIGKILL
Order = dict[str, Any]


class Forked:
    """A forked program, as the test sees it; it has what we use of a process of asyncio."""

    def __init__(self, line: socket.socket) -> None:
        self.pid = int(line.recv(64))
        self._line = line
        self._line.setblocking(False)
        self._status: int | None = None

    @property
    def returncode(self) -> int | None:
        if self._status is None:
            try:
                told = self._line.recv(64)
            except BlockingIOError:
                return None
            self._status = int(told) if told else KILLED
            self._line.close()
        return self._status

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):  # its end is told a moment later
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        await eventually(lambda: self.returncode is not None, awaited="the end of a program")
        assert self.returncode is not None
        return self.returncode


def fork_gateway(
    folder: Path,
    environment: Mapping[str, str],
    arguments: Sequence[str],
    out: IO[bytes],
    program: str = GATEWAY,
) -> Forked:
    """Start a gateway as `python -m PROGRAM ARGUMENTS` would; what it says goes to the file."""
    order = {"program": program, "folder": str(folder), "environment": environment}
    return _fork(GATEWAY, {**order, "arguments": arguments}, out)


def fork_sandbox(arguments: Sequence[str], out: IO[bytes]) -> Forked:
    """Start the sandbox with these arguments; what it says goes to the file."""
    order = {"program": SANDBOX, "folder": str(TOP), "environment": {**os.environ}}
    return _fork(SANDBOX, {**order, "arguments": arguments}, out)


def _fork(image: str, order: Order, out: IO[bytes]) -> Forked:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(_launcher(image))
    socket.send_fds(line, [json.dumps(order).encode()], [out.fileno()])
    return Forked(line)


@functools.cache
def _launcher(program: str) -> str:
    """Start the launcher of this test process for a program, which ends with it; return its address."""
    folder = tempfile.mkdtemp(prefix="launcher")
    address = f"{folder}/socket"
    launcher = subprocess.Popen(
        [sys.executable, "-m", __name__, program, address],
        cwd=TOP,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"READY\n"
    atexit.register(_end, launcher)
    return address


def _end(launcher: subprocess.Popen[bytes]) -> None:
    for pipe in (launcher.stdin, launcher.stdout):
        assert pipe is not None
        pipe.close()
    launcher.wait()


def serve(address: str) -> Order | None:
    """Fork until standard input ends; in each program, return its order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how the guardians ended
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        while sys.stdin.fileno() not in _readable(listener.fileno(), sys.stdin.fileno()):
            line, _ = listener.accept()
            with line:
                if os.fork() == 0:
                    return _guard(line)
    Path(address).unlink()
    Path(address).parent.rmdir()
    return None


def _guard(line: socket.socket) -> Order:
    """Fork a program and tell how it ended; it does not outlive the test that ordered it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, [out], *_ = socket.recv_fds(line, LONGEST, 1)
    pid = os.fork()
    if pid == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, standard in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(source, standard)
        os.close(nothing)
        os.close(out)
        order: Order = json.loads(told)
        return order
    line.send(str(pid).encode())
    descriptor = os.pidfd_open(pid)
    if descriptor not in _readable(descriptor, line.fileno()):
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    try:
        line.send(str(os.waitstatus_to_exitcode(status)).encode())
    finally:
        os._exit(0)


def _readable(*descriptors: int) -> list[int]:
    return select.select(descriptors, [], [])[0]


def run(order: Order) -> None:
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [order["program"], *order["arguments"]]
    if order["program"] != SANDBOX:
        keep_spare_forkserver()
    runpy.run_module(order["program"], run_name="__main__", alter_sys=True)


def load(program: str) -> None:
    """Import what a program imports when it starts."""
    for name in MODULES[program]:
        importlib.import_module(name)
    gc.freeze()


if __name__ == "__main__":
    load(sys.argv[1])
    if (order := serve(sys.argv[2])) is not None:
        run(order)
