"""What somebody would try who has taken a worker over."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from session_worker.confinement.confinement import LANDLOCK, OWN_USER, SECCOMP, landlock_version
from session_worker.confinement.kernel import checked, libc, prctl, syscall
from session_worker.confinement.seccomp import MACHINES, NEEDLESS, TIOCSTI
from session_worker.protocol.pipe_fields import PipeValue

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED = "allowed"
REFUSED = "PermissionError"
CALLS = dict(zip(MACHINES, zip(*NEEDLESS.values(), strict=True), strict=True))[os.uname().machine]
NUMBER_OF = dict(zip(NEEDLESS, CALLS, strict=True))


class Targets(PipeValue):
    """What there is to be had around a worker."""

    supervisor: int
    forkserver: int
    neighbour: int
    neighbours_file: str
    spools: str
    database: str
    settings: str
    temporary: str
    fork_socket: str
    port: int


class Attack(NamedTuple):
    """A deed with the layers that each suffice against it."""

    deed: Callable[[Targets], object]
    stopped_by: frozenset[str] = frozenset()


def attempt(targets: Targets) -> dict[str, str]:
    """Try everything; tell how each ended."""
    return {name: _outcome(attack.deed, targets) for name, attack in ATTACKS.items()}


def _outcome(deed: Callable[[Targets], object], targets: Targets) -> str:
    try:
        deed(targets)
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is the result
        return type(exc).__name__
    return ALLOWED


def _call(name: str, *values: object) -> int:
    return syscall(NUMBER_OF[name] or 0, *values)


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(16)


def _list(path: str) -> list[Path]:
    return list(Path(path).iterdir())


def _peek(pid: int) -> int:
    here = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(here), 8)
    return checked(libc.process_vm_readv(pid, vector, 1, vector, 1, 0))


def _fork(_: Targets) -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _spawn(_: Targets) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def _connect_local(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(targets.fork_socket)


def _send_local(targets: Targets) -> None:
    """Reach a stranger by a socket that was made as one of a pair."""
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
    with ours, theirs:
        ours.connect(targets.fork_socket)


def _open_socket(*kind: int) -> None:
    socket.socket(*kind).close()


def _listen(_: Targets) -> None:
    with socket.socket() as server:
        server.listen()


def _bind(_: Targets) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def _use_own_folder(_: Targets) -> None:
    folder = Path("in", "1")
    folder.mkdir(parents=True)
    part = folder / "0.part"
    part.write_bytes(b"text")
    part.replace(folder / "0")
    with (folder / "0").open("r+b") as file:
        file.truncate(2)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"te"]
    (folder / "0").unlink()
    folder.rmdir()


def _use_thread(_: Targets) -> None:
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()


def _call_out(targets: Targets) -> None:
    socket.create_connection(("localhost", targets.port), timeout=5).close()


def _against(*layers: str, since: int = 1) -> frozenset[str]:
    """Leave out Landlock where the kernel's is too old."""
    return frozenset(each for each in layers if each != LANDLOCK or landlock_version() >= since)


FILES = _against(OWN_USER, LANDLOCK)
SIGNALS = _against(OWN_USER, SECCOMP, LANDLOCK, since=6)
PEEKING = _against(OWN_USER, LANDLOCK, SECCOMP)
LINKS = _against(LANDLOCK, SECCOMP)
NEEDLESS_CALL = _against(SECCOMP)
LIMITS = _against(OWN_USER)

ATTACKS = {
    "use own folder": Attack(_use_own_folder),
    "use threads": Attack(_use_thread),
    "find a host, call it": Attack(_call_out),
    "signal itself": Attack(lambda _: os.kill(os.getpid(), 0)),
    "read another's file": Attack(lambda t: _read(t.neighbours_file), FILES),
    "list all folders": Attack(lambda t: _list(t.spools), FILES),
    "list the folder above": Attack(lambda _: _list(".."), FILES),
    "write above": Attack(lambda _: Path("../new").write_bytes(b""), FILES),
    "read the database": Attack(lambda t: _read(t.database), FILES),
    "open up the database": Attack(lambda t: Path(t.database).chmod(0o666), LIMITS | NEEDLESS_CALL),
    "read the settings": Attack(lambda t: _read(t.settings), FILES),
    "write to the temporary folder": Attack(
        lambda t: Path(t.temporary, "new").write_bytes(b""), FILES
    ),
    "make a symbolic link": Attack(lambda t: Path("link").symlink_to(t.database), LINKS),
    "make another name": Attack(lambda t: os.link(t.database, "name"), NEEDLESS_CALL),
    "make a pipe": Attack(lambda _: os.mkfifo("pipe"), LINKS),
    "read the supervisor's environment": Attack(
        lambda t: _read(f"/proc/{t.supervisor}/environ"), FILES
    ),
    "read the supervisor's memory": Attack(lambda t: _read(f"/proc/{t.supervisor}/mem"), FILES),
    "read the forkserver's memory": Attack(lambda t: _read(f"/proc/{t.forkserver}/mem"), FILES),
    "read another's memory": Attack(lambda t: _read(f"/proc/{t.neighbour}/mem"), FILES),
    "list another's descriptors": Attack(lambda t: _list(f"/proc/{t.neighbour}/fd"), FILES),
    "open another's descriptor": Attack(lambda t: _read(f"/proc/{t.neighbour}/fd/0"), FILES),
    "see another's descriptor": Attack(
        lambda t: Path(f"/proc/{t.neighbour}/fd/0").readlink(), FILES
    ),
    "copy the supervisor's memory": Attack(lambda t: _peek(t.supervisor), PEEKING),
    "copy another's memory": Attack(lambda t: _peek(t.neighbour), PEEKING),
    "trace another": Attack(lambda t: _call("ptrace", 0x4206, t.neighbour, 0, 0), PEEKING),
    "hold another": Attack(lambda t: os.close(os.pidfd_open(t.neighbour)), NEEDLESS_CALL),
    "take another's pipe": Attack(lambda _: _call("pidfd_getfd", -1, 0, 0), NEEDLESS_CALL),
    "signal another": Attack(lambda t: os.kill(t.neighbour, 0), SIGNALS),
    "signal the supervisor": Attack(lambda t: os.kill(t.supervisor, 0), SIGNALS),
    "signal all": Attack(lambda _: os.kill(-1, 0), NEEDLESS_CALL),
    "limit another": Attack(
        lambda t: resource.prlimit(t.neighbour, resource.RLIMIT_CPU), LIMITS | NEEDLESS_CALL
    ),
    "raise its own limits": Attack(
        lambda _: resource.prlimit(0, resource.RLIMIT_CORE, (4096, 4096)), LIMITS
    ),
    "become root": Attack(lambda _: os.setuid(0), LIMITS),
    "fork": Attack(_fork, NEEDLESS_CALL),
    "spawn": Attack(_spawn, NEEDLESS_CALL),
    "run a shell": Attack(lambda _: _call("execve", b"/bin/nothing", None, None), NEEDLESS_CALL),
    "have the forkserver fork": Attack(_connect_local, LIMITS | NEEDLESS_CALL),
    "speak to strangers locally": Attack(_send_local, NEEDLESS_CALL),
    "open a netlink socket": Attack(lambda _: _open_socket(socket.AF_NETLINK), NEEDLESS_CALL),
    "listen": Attack(_listen, NEEDLESS_CALL),
    "bind": Attack(_bind, _against(SECCOMP, LANDLOCK, since=4)),
    "outlive the gateway": Attack(lambda _: prctl(1, 0), NEEDLESS_CALL),
    "type into the terminal": Attack(lambda _: fcntl.ioctl(0, TIOCSTI, b"x"), NEEDLESS_CALL),
    "see another system": Attack(lambda _: _call("unshare", 0x1000_0000), NEEDLESS_CALL),
    "mount": Attack(lambda _: _call("mount", None, None, None, 0, None), NEEDLESS_CALL),
    "load into the kernel": Attack(lambda _: _call("bpf", 0, None, 0), NEEDLESS_CALL),
    "use keys": Attack(lambda _: _call("keyctl", 0, 0, 0, 0, 0), NEEDLESS_CALL),
    "use io_uring": Attack(lambda _: _call("io_uring_setup", 1, None), NEEDLESS_CALL),
}
