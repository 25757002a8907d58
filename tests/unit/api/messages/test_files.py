"""Files under links: as a whole, in parts, never as a page."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from werkzeug.http import parse_options_header

from api.messages.files import RangeBeyondEnd, find_part, safe_type
from supervisor.messages.file_links import OpenFile
from tests.unit.api.calls import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

CONTENT = b"0123456789"
BIG = 32 << 20  # bytes; more than sockets hold
LINK = "/files/signed/a.html"


@pytest.fixture(autouse=True)
def _kept_file(gateway: FakeGateway, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(CONTENT)
    gateway.files.kept["signed"] = OpenFile(path, 'a"; x=y\r\nX: <b>.html', "text/html")


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


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("condition", ["If-None-Match", "If-Modified-Since"])
async def test_caller_who_has_the_file_is_told_so(
    client: TestClientProtocol, method: str, condition: str
) -> None:
    """Whoever asks again under a condition gets 304 without a body, also by HEAD."""
    had = await client.get(LINK)
    of_file = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}[condition]
    headers = {condition: had.headers[of_file]}

    response = await client.open(LINK, method=method, headers=headers, json=None)

    assert (response.status_code, await response.get_data()) == (304, b"")


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
    "mime",
    [
        *("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "", "IMAGE/SVG+XML"),
        *("image/pngx", "image/png+xml", "image/png; charset=utf-7", "image/png,text/html"),
        *("video/mp4\r\nX-Own: 1", "video/mp4\n", "video/mp4\0", "video/", "video/a/b"),
        *("video/x+xml", "audio/\u00e9", "audio/\u4e2d", "video/" + "a" * 200, " video/mp4"),
        *("video/<b>", 'video/"', "video/*", "audio/..", "multipart/x-mixed-replace"),
    ],
)
async def test_active_kinds_are_bytes(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path, mime: str
) -> None:
    """What could hold a script, a header, anything but a plain kind is given one that runs nowhere."""
    gateway.files.kept["signed"] = OpenFile(tmp_path / "kept", "a", mime)

    response = await client.get(LINK)

    assert (response.status_code, await response.get_data()) == (200, CONTENT)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert "X-Own" not in response.headers


@pytest.mark.parametrize(
    "mime", ["image/png", "image/jpeg", "video/mp4", "video/x-matroska", "audio/vnd.dolby.dd-raw"]
)
def test_harmless_kinds_are_told(mime: str) -> None:
    """A picture, a film, a sound stay what they are."""
    assert safe_type(mime) == mime


@pytest.mark.parametrize(
    "name",
    [
        *(
            'a"; filename=evil.exe',
            "a\\",
            'a\\"; x="',
            "a; filename*=UTF-8''evil.html",
            "a\r\nX-Own: 1",
        ),
        *(
            "\u202egpj.exe",
            "счёт.pdf",
            "a" * 3000,
            "../../etc/passwd",
            "",
            ".",
            "\x00",
            "\ud83d",
            "=1+1",
        ),
    ],
)
async def test_name_adds_nothing_to_its_header(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path, name: str
) -> None:
    """Whatever a stranger calls a file, it is one parameter of an attachment, never a header."""
    gateway.files.kept["signed"] = OpenFile(tmp_path / "kept", name, "image/png")

    response = await client.get(LINK)

    assert (response.status_code, await response.get_data()) == (200, CONTENT)
    kind, parameters = parse_options_header(response.headers["Content-Disposition"])
    assert kind == "attachment"
    assert set(parameters) <= {"filename"}
    assert response.headers["Content-Disposition"].isascii()
    assert "\u202e" not in parameters.get("filename", "")
    assert "X-Own" not in response.headers
    assert len(response.headers["Content-Disposition"]) < 4000


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Счёт №5 (a&b).pdf", "Счёт №5 (a&b).pdf"),
        ("a" * 300 + ".pdf", "a" * 160 + "a" * 36 + ".pdf"),
    ],
    ids=["all languages", "long"],
)
async def test_name_arrives_as_it_is(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path, name: str, told: str
) -> None:
    """Letters of all languages, signs, blanks; of a long name its start with its end."""
    gateway.files.kept["signed"] = OpenFile(tmp_path / "kept", name, "image/png")

    response = await client.get(LINK)

    _, parameters = parse_options_header(response.headers["Content-Disposition"])
    assert parameters["filename"] == told


async def test_file_that_is_erased_meanwhile_is_gone(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A link outlives its file by a moment at most, which is no failure of ours."""
    gateway.files.kept["signed"] = OpenFile(tmp_path / "erased", "a.txt", "text/plain")

    assert (await client.get(LINK)).status_code == 404


@pytest.mark.parametrize("place", ["the file", "its folder", "a folder", "a pipe"])
async def test_link_in_a_workers_folder_leads_nowhere(
    client: TestClientProtocol, gateway: FakeGateway, tmp_path: Path, place: str
) -> None:
    """A taken-over worker may put there what it likes: no file of the gateway's own is served."""
    (secret := tmp_path / "secret").mkdir()
    (secret / "0").write_bytes(b"secret")
    (spool := tmp_path / "spool").mkdir()
    path = spool / "in" / "1" / "0"
    if place == "its folder":
        (spool / "in").mkdir()
        path.parent.symlink_to(secret)
    else:
        path.parent.mkdir(parents=True)
    if place == "the file":
        path.symlink_to(secret / "0")
    if place == "a folder":
        path.mkdir()
    if place == "a pipe":
        os.mkfifo(path)
    gateway.files.kept["signed"] = OpenFile(path, "a", "image/png", NUMBER, spool)

    response = await client.get(LINK)

    assert response.status_code == 404
    assert await response.get_json()


async def test_download_goes_on_where_it_was_cut(client: TestClientProtocol) -> None:
    """The file's mark stays the same from call to call, as long as the file does."""
    mark = (await client.get(LINK)).headers["ETag"]

    rest = await client.get(LINK, headers={"Range": "bytes=7-", "If-Range": mark})
    known = await client.get(LINK, headers={"If-None-Match": mark})

    assert (rest.status_code, await rest.get_data()) == (206, b"789")
    assert known.status_code == 304
