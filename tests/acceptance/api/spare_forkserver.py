"""A child that a forked gateway has from its start, to become its forkserver without loading what that needs."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, NoReturn

from multiprocess import util

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1 << 16  # bytes of an order
MOST = 2  # descriptors of an order
FORKSERVER = "from multiprocess.forkserver import"
FIRST = 3  # the descriptor behind the standard ones
ASIDE = 500  # nobody has used descriptors from here on


def keep_spare_forkserver() -> None:
    """Fork the child, which is taken for the first forkserver that this process starts.

    A later one, in the place of one that died, is started as a program, as is everything else.
    """
    line, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if (pid := os.fork()) == 0:
        line.close()
        _wait_for_order(end)
    end.close()
    spawn = util.spawnv_passfds

    def take_or_spawn(program: bytes, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
        if line.fileno() < 0 or not arguments[-1].startswith(FORKSERVER):
            started: int = spawn(program, arguments, descriptors)
            return started
        with line:
            order = json.dumps({"code": arguments[-1], "descriptors": descriptors})
            socket.send_fds(line, [order.encode()], descriptors)
        return pid

    util.spawnv_passfds = take_or_spawn


def _wait_for_order(line: socket.socket) -> NoReturn:
    """Be the forkserver, or nothing if the gateway ends without one."""
    told, received, *_ = socket.recv_fds(line, LONGEST, MOST)
    if told:
        order = json.loads(told)
        _place(received, order["descriptors"])
        sys.argv = ["-c"]
        exec(order["code"], {})
    sys.exit()


def _place(received: Sequence[int], wanted: Sequence[int]) -> None:
    """Give descriptors the numbers that they have in the code, and close all others."""
    aside = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, ASIDE) for each in received]
    os.closerange(FIRST, ASIDE)
    for each, number in zip(aside, wanted, strict=True):
        os.dup2(each, number)
        os.close(each)
