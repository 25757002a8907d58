"""Downloads that last: nobody is cut off for a slow line, nobody keeps others out."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil
import pytest

from api.messages.files import Downloads, open_for_call, time_for
from api.requests.errors import ApiError
from api.security.request_guard import call_with_end
from supervisor.messages.file_links import OpenFile
from tests.support.waiting import PATIENCE, eventually
from tests.unit.api.calls import NUMBER
from tests.unit.api.planfix_calls import OTHER
from tests.unit.api.served import Served, headers_of, serving, status_of

if TYPE_CHECKING:
    from api.settings import Settings
    from tests.fakes.gateway import FakeGateway

BIG = 32 << 20  # bytes; more than sockets hold
LINK = "/files/signed/a.html"


async def test_slow_download_is_not_cut_off(
    settings: Settings, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A big file over a slow line takes longer than any other answer may."""
    (big := tmp_path / "big").touch()
    os.truncate(big, BIG)
    gateway.files.kept["signed"] = OpenFile(big, "a.mp4", "video/mp4")

    async with serving(settings, gateway, answer_within=0.2) as served:
        reader, writer = await served.connect()
        writer.write(f"GET {LINK} HTTP/1.0\r\n\r\n".encode())
        got = len(await reader.readexactly(1000))
        end = asyncio.get_running_loop().time() + 0.5
        await eventually(lambda: asyncio.get_running_loop().time() > end)
        while data := await reader.read(1 << 20):
            got += len(data)
        writer.close()

    assert got > BIG


class SlowFile(OpenFile):
    """A file that a thread opens only when it may."""

    may_open = threading.Event()
    opened: ClassVar[list[int]] = []

    def open(self) -> int:
        self.may_open.wait(PATIENCE)
        self.opened.append(super().open())
        return self.opened[-1]


async def test_caller_who_hangs_up_leaves_no_file_open(tmp_path: Path) -> None:
    """A file that a thread is still opening for a caller who has gone is closed again."""
    (kept := tmp_path / "kept").touch()
    file = SlowFile(kept, "a.html", "text/html")

    async def call() -> None:
        with call_with_end():
            await open_for_call(file)

    calling = asyncio.create_task(call())
    await asyncio.sleep(0)
    calling.cancel()
    await asyncio.wait({calling})
    file.may_open.set()

    await eventually(lambda: file.opened)
    await eventually(lambda: not _leads_to(file.opened[0], kept))


def _leads_to(descriptor: int, path: Path) -> bool:
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink() == path
    except FileNotFoundError:
        return False


def stalled(served: Served, path: str = LINK) -> socket.socket:
    """Ask for something of which not a byte will be read."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    peer.connect(("127.0.0.1", served.port))
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return peer


def read_out(peer: socket.socket) -> None:
    """Read all in the end, in large pieces now, then hang up."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    while peer.recv(1 << 20):
        pass
    peer.close()


def lines_to(served: Served) -> list[int]:
    """List the server's ends of all connections, by their descriptors."""
    return [
        line.fd
        for line in psutil.Process().net_connections("tcp4")
        if line.raddr and line.laddr.port == served.port
    ]


@pytest.fixture
def big(gateway: FakeGateway, tmp_path: Path) -> Path:
    (path := tmp_path / "big").touch()
    os.truncate(path, BIG)
    gateway.files.kept["signed"] = OpenFile(path, "a.mp4", "video/mp4", NUMBER)
    return path


@pytest.mark.usefixtures("big")
async def test_reader_of_nothing_is_let_go(settings: Settings, gateway: FakeGateway) -> None:
    """Nobody holds a download open by not reading it: neither its file nor its connection."""
    async with serving(settings, gateway, stalled_for=0.3) as served:
        peer = stalled(served)
        await eventually(lambda: lines_to(served))

        await eventually(lambda: not lines_to(served))
        peer.close()


@pytest.mark.usefixtures("big")
async def test_kernel_gives_up_on_whoever_reads_nothing(
    settings: Settings, gateway: FakeGateway
) -> None:
    """What the server has written already is not kept for ever either."""
    async with serving(settings, gateway, stalled_for=10 * PATIENCE) as served:
        peer = stalled(served)
        await eventually(lambda: lines_to(served))

        def patience() -> int:
            with socket.socket(fileno=os.dup(lines_to(served)[0])) as line:
                return line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

        await eventually(lambda: patience() == 20_000 * PATIENCE)
        await asyncio.to_thread(read_out, peer)
        await eventually(lambda: not lines_to(served))


@pytest.mark.usefixtures("big")
async def test_slow_readers_of_one_number_leave_room_for_others(
    settings: Settings, gateway: FakeGateway, tmp_path: Path
) -> None:
    """Beyond its share a number's downloads are put off; another number's are not."""
    (small := tmp_path / "small").write_bytes(b"0123456789")
    gateway.files.kept["other"] = OpenFile(small, "a", "image/png", OTHER)
    async with serving(settings, gateway, downloads=Downloads(3, 2, wait=0.1)) as served:
        peers = [stalled(served) for _ in range(2)]
        await eventually(lambda: len(lines_to(served)) == 2)

        async def is_full() -> bool:
            return status_of(await served.get(LINK, method="HEAD")) == 503

        await eventually(is_full)
        assert status_of(await served.get("/files/other/a")) == 200
        await asyncio.gather(*(asyncio.to_thread(read_out, peer) for peer in peers))
        await eventually(lambda: not lines_to(served))
        assert status_of(await served.get(LINK, method="HEAD")) == 200


async def test_all_downloads_have_a_limit_too() -> None:
    """However many numbers there are; a place is free again when its call is over, refused or not."""
    downloads = Downloads(2, 2, wait=0.01)

    async def hold(number: str, until: asyncio.Event) -> None:
        with call_with_end():
            await downloads.acquire_place(number)
            await until.wait()

    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in ("1", "2"):
            group.create_task(hold(number, done))
        await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(ApiError, match="too_many_downloads"):
                await hold("3", done)
        done.set()
    for _ in range(3):
        await hold("3", done)


def test_time_grows_with_the_size() -> None:
    """A slow line has time for a big file, a small file is not read for an hour."""
    assert time_for(0) == 60
    assert time_for(100 << 20) > 3000
    assert time_for(10**12) == 3600


@pytest.mark.usefixtures("big")
async def test_head_reads_nothing(settings: Settings, gateway: FakeGateway) -> None:
    """Whoever asks for a file's size alone can't have it read again and again."""
    async with serving(settings, gateway) as served:
        before = psutil.Process().io_counters().read_chars

        answer = await served.get(LINK, method="HEAD")

        assert psutil.Process().io_counters().read_chars - before < BIG / 4
        assert (status_of(answer), headers_of(answer)["content-length"]) == (200, str(BIG))
