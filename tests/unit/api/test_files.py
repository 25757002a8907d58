"""Files under links: as a whole, in parts, never as a page."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import pytest

from api.blueprints.files import safe_type
from api.byte_range import RangeBeyondEnd, find_part
from supervisor.mailroom import OpenFile
from tests.unit.api.served import serving
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from quart.typing import TestClientProtocol

    from api.settings import Settings
    from tests.fakes.gateway import FakeGateway

CONTENT = b"0123456789"
BIG = 32 << 20  # bytes; more than sockets hold
LINK = "/files/signed/a.html"


@pytest.fixture(autouse=True)
def _kept_file(gateway: FakeGateway, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(CONTENT)
    gateway.files["signed"] = OpenFile(path, 'a"; x=y\r\nX: <b>.html', "text/html")


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", b"0"),
        ("bytes=2-4", b"234"),
        ("bytes=7-", b"789"),
        ("bytes=-3", b"789"),
        ("bytes=-99", CONTENT),
        ("bytes=0-99999999999999999999", CONTENT),
        (" bytes = 2-4", b"234"),
        ("BYTES=2-4", b"234"),
        ("bytes=9-2", None),
        ("bytes=-0", None),
        ("bytes=--3", None),
        ("bytes=", None),
        ("bytes", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-\u0662", None),
        ("bytes=0-1,3-4", None),
        ("bytes=0-,0-,0-", None),
        ("bytes=" + ",".join(["0-9"] * 1000), None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("lines=1-2", None),
        ("", None),
    ],
)
async def test_part_that_is_asked_for_is_served(
    client: TestClientProtocol, caplog: pytest.LogCaptureFixture, wanted: str, part: bytes | None
) -> None:
    """One part at a time; what is no such wish is answered with the whole."""
    response = await client.get(LINK, headers={"Range": wanted})

    whole = part is None
    assert (response.status_code, await response.get_data()) == (
        200 if whole else 206,
        CONTENT if part is None else part,
    )
    assert [line for line in caplog.records if line.levelno > logging.WARNING] == []


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-12", "bytes=999999999999999999-"])
async def test_part_beyond_the_end_is_refused(client: TestClientProtocol, wanted: str) -> None:
    """Who has it all already is told how much that is."""
    response = await client.get(LINK, headers={"Range": wanted})

    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */10"
    with pytest.raises(RangeBeyondEnd):
        find_part(wanted, len(CONTENT))


def test_empty_file_has_no_parts() -> None:
    """Nothing can be left out of nothing."""
    assert find_part("bytes=0-", 0) is None
    assert find_part("bytes=-1", 0) is None


async def test_file_is_a_download_never_a_page(client: TestClientProtocol) -> None:
    """Neither a file's kind nor its name makes a browser run it, or adds a header."""
    headers = (await client.get(LINK)).headers

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")
    assert "\n" not in headers["Content-Disposition"]
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, max-age=3600"
    assert "X" not in headers


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "", "IMAGE/SVG+XML"]
)
def test_active_kinds_are_bytes(mime: str) -> None:
    """What could hold a script is given a kind that runs nowhere."""
    assert safe_type(mime) == "application/octet-stream"


async def test_file_that_is_erased_meanwhile_is_gone(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A link outlives its file by a moment at most, which is no failure of ours."""
    gateway.files["signed"] = OpenFile(tmp_path / "erased", "a.txt", "text/plain")

    assert (await client.get(LINK)).status_code == 404


async def test_slow_download_is_not_cut_off(
    settings: Settings, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A big file over a slow line takes longer than any other answer may."""
    (big := tmp_path / "big").touch()
    os.truncate(big, BIG)
    gateway.files["signed"] = OpenFile(big, "a.mp4", "video/mp4")

    async with serving(settings, gateway, answer_within=1.0) as served:
        reader, writer = await served.connect()
        writer.write(f"GET {LINK} HTTP/1.0\r\n\r\n".encode())
        got = len(await reader.readexactly(1000))
        end = asyncio.get_running_loop().time() + 1.5
        await eventually(lambda: asyncio.get_running_loop().time() > end)
        while data := await reader.read(1 << 20):
            got += len(data)
        writer.close()

    assert got > BIG
