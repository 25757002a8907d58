"""Links that employees, or somebody in their name, attach."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from session_worker.outbound.attachments import (
    Fetcher,
    FetchFailed,
    FileEmpty,
    FileTooLarge,
    Limits,
    LinkForbidden,
    LinkGone,
    LinkUnreachable,
)
from tests.acceptance.session_worker.outbound.network import Names, Network
from tests.fakes.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.session_worker.outbound.mail import Mail

TLS = httpx.create_ssl_context()
LIMITS = Limits(size=1000, whole=60, silence=60, pauses_when_missing=(0.01, 0.01))
PUBLIC = "93.184.216.34"
HOSTILE = [
    *("http://127.0.0.1:{port}/secret", "http://127.1:{port}/secret", "http://0:{port}/secret"),
    *("http://2130706433:{port}/secret", "http://0x7f000001:{port}/secret"),
    *("http://0x7f.0.0.1:{port}/secret", "http://0177.0.0.1:{port}/secret"),
    *("http://017700000001:{port}/secret", "http://0.0.0.0:{port}/secret"),
    *("http://localhost:{port}/secret", "http://LOCALHOST:{port}/secret"),
    *("http://localhost.:{port}/secret", "http://[::1]:{port}/secret", "http://[::]:{port}/secret"),
    *("http://[::ffff:127.0.0.1]:{port}/secret", "http://[::ffff:7f00:1]:{port}/secret"),
    *("http://[::127.0.0.1]:{port}/secret", "http://[64:ff9b::7f00:1]:{port}/secret"),
    *("http://[64:ff9b:1::7f00:1]:{port}/secret", "http://[2002:7f00:1::]:{port}/secret"),
    *("http://10.0.0.1:{port}/secret", "http://192.168.0.1:{port}/secret"),
    *("http://172.16.5.5:{port}/secret", "http://100.64.0.1:{port}/secret"),
    *("http://169.254.169.254/latest/meta-data/", "http://[fd00::1]:{port}/secret"),
    *("http://[fe80::1]:{port}/secret", "http://internal.example:{port}/secret"),
    *("http://mixed.example:{port}/secret", "http://six.example:{port}/secret"),
    *("http://public.example@127.0.0.1:{port}/secret", "http://u:p@public.example:{port}/secret"),
    *("http://\uff11\uff12\uff17.0.0.1:{port}/secret", "http://127\u30020.0.1:{port}/secret"),
    *("http://192.0.0.192/opc/v2/instance/", "http://168.63.129.16/machine", "http://127.1"),
    *("http://[fd00:ec2::254]/latest/",),
    *("http://[2002:a9fe:a9fe::]/latest/", "http://[64:ff9b::a9fe:a9fe]/latest/"),
    *("file:///etc/passwd", "ftp://public.example/secret", "gopher://127.0.0.1:{port}/secret"),
    *("data:text/plain,secret", "/etc/passwd", "", "http://", "http:///secret", "//127.0.0.1/x"),
    *("http://[::1/secret", "https://planfix.example:80/secret"),
    *("http://public.example:99999/secret", "http://public.example:65536/secret"),
    *("https://public.example:0/secret", "http://public.example:-1/secret"),
    *(f"http://public.example:{'9' * 400}/secret", "http://planfix.example:70000/secret"),
]  # fmt: skip
# Without a host a redirect stays where it came from.
REDIRECTED = [link for link in HOSTILE if re.match("https?://[^/]", link)]
NAMES = {
    "public.example": [[PUBLIC]],
    "localhost.": [["127.0.0.1"]],
    "internal.example": [["10.0.0.5"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "six.example": [["::1"]],
    "planfix.example": [["10.0.0.9"]],
}


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer() as server:
        server.offer("secret", b"secret")
        server.offer("file", b"content")
        yield server


@pytest.fixture
def names() -> Names:
    return Names({name: list(answers) for name, answers in NAMES.items()})


@pytest.fixture
def network(server: FileServer) -> Network:
    return Network(server.port)


@pytest.fixture
def fetcher(names: Names, network: Network) -> Fetcher:
    """Make a fetcher for a client whose Planfix is inside, in a network without an outside."""
    url = "http://planfix.example:80/webchat/api"
    return Fetcher(url, TLS, limits=LIMITS, look_up=names.look_up, network=network)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "1" / "0"


def content_of(target: Path) -> bytes | None:
    return target.read_bytes() if target.exists() else None


@pytest.mark.parametrize("link", HOSTILE)
async def test_hostile_link_is_not_followed(
    fetcher: Fetcher, server: FileServer, network: Network, target: Path, link: str
) -> None:
    """Neither disguise nor detour brings a link to a place that is not for everybody."""
    with pytest.raises(LinkForbidden):
        await fetcher.fetch(link.format(port=server.port), target)

    assert network.dialled == []
    assert server.requests == []
    assert content_of(target) is None


@pytest.mark.parametrize("link", REDIRECTED)
async def test_redirect_to_a_hostile_place_is_not_followed(
    fetcher: Fetcher, server: FileServer, network: Network, target: Path, link: str
) -> None:
    """A public place can't send us where a link may not lead."""
    where = f"Location: {link.format(port=server.port)}".encode("ascii", "ignore").decode()
    server.offer("start", Answer(status=302, headers=(where,)))

    with pytest.raises(FetchFailed):
        await fetcher.fetch("http://public.example/start", target)

    assert set(network.dialled) == {PUBLIC}
    assert "/secret" not in server.requests


async def test_redirect_out_of_http_is_not_followed(
    fetcher: Fetcher, server: FileServer, target: Path
) -> None:
    """A redirect to another kind of address ends there."""
    server.offer("start", Answer(status=302, headers=("Location: ftp://public.example/file",)))

    with pytest.raises(LinkForbidden):
        await fetcher.fetch("http://public.example/start", target)


async def test_name_that_changes_its_mind_gains_nothing(
    fetcher: Fetcher, names: Names, server: FileServer, network: Network, target: Path
) -> None:
    """The address that was checked is the one that is dialled, and each redirect is checked."""
    server.offer("start", Answer(status=302, headers=("Location: http://rebind.example/secret",)))
    names.answers["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]

    with pytest.raises(LinkForbidden):
        await fetcher.fetch("http://rebind.example/start", target)

    assert network.dialled == [PUBLIC]
    assert server.requests == ["/start"]


async def test_bomb_beside_a_redirect_is_not_unpacked(
    fetcher: Fetcher, server: FileServer, target: Path
) -> None:
    """What a redirect says beyond its place is not even read."""
    bomb = gzip.compress(gzip.compress(bytes(48 << 20)))
    headers = ("Location: /file", "Content-Encoding: gzip, gzip")
    server.offer("start", Answer(bomb, 302, headers))
    tracemalloc.start()
    try:
        await fetcher.fetch("http://public.example/start", target)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert content_of(target) == b"content"
    assert peak < 8 << 20


async def test_redirects_end(fetcher: Fetcher, server: FileServer, target: Path) -> None:
    """Going in circles ends after a few rounds."""
    server.offer("start", Answer(status=302, headers=("Location: http://public.example/start",)))

    with pytest.raises(FetchFailed):
        await fetcher.fetch("http://public.example/start", target)

    assert server.count("start") < 10


async def test_public_link_is_followed(
    fetcher: Fetcher, server: FileServer, network: Network, target: Path
) -> None:
    """A file at a public place is fetched, over a redirect, too; nothing is asked to be packed."""
    server.offer("start", Answer(status=302, headers=("Location: /file",)))

    await fetcher.fetch("http://public.example/start", target)

    assert content_of(target) == b"content"
    assert set(network.dialled) == {PUBLIC}
    assert "accept-encoding: identity" in server.heads[-1].lower()


async def test_own_planfix_may_be_inside(fetcher: Fetcher, network: Network, target: Path) -> None:
    """The client's own Planfix is fetched from wherever it is."""
    await fetcher.fetch("http://planfix.example/file", target)

    assert content_of(target) == b"content"
    assert network.dialled == ["10.0.0.9"]


@pytest.mark.parametrize("link", ["http://planfix.example:81/file", "http://x.planfix.example/"])
async def test_neighbours_of_planfix_are_strangers(
    fetcher: Fetcher, names: Names, target: Path, link: str
) -> None:
    """Another port, another host of the same domain is not the client's Planfix."""
    names.answers["x.planfix.example"] = [["10.0.0.9"]]

    with pytest.raises(LinkForbidden):
        await fetcher.fetch(link, target)


async def test_second_address_is_tried(
    fetcher: Fetcher, names: Names, network: Network, target: Path
) -> None:
    """When one address of a host refuses, the next is taken."""
    names.answers["two.example"] = [["8.8.8.8", PUBLIC]]
    network.dead.add("8.8.8.8")

    await fetcher.fetch("http://two.example/file", target)

    assert network.dialled == ["8.8.8.8", PUBLIC]


async def test_environment_has_no_say(
    fetcher: Fetcher, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment is not used."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    await fetcher.fetch("http://public.example/file", target)

    assert content_of(target) == b"content"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Answer(status=404), LinkGone),
        (Answer(status=403), LinkGone),
        (Answer(status=410), LinkGone),
        (Answer(b"x", 206), LinkGone),
        (Answer(b"x", headers=("Content-Encoding: gzip",)), LinkUnreachable),
        (Answer(b"x", headers=("Content-Encoding: identity, br",)), LinkUnreachable),
        (Answer(status=500), LinkUnreachable),
        (Answer(status=503), LinkUnreachable),
        (Answer(status=429), LinkUnreachable),
        (Answer(b"cut", length=10), LinkUnreachable),
        (Answer(b"", length=1001), FileTooLarge),
        (Answer(b"x" * 1001), FileTooLarge),
        (Answer(b""), FileEmpty),
    ],
)
async def test_bad_answer_is_told(
    fetcher: Fetcher, server: FileServer, target: Path, answer: Answer, failure: type[FetchFailed]
) -> None:
    """What went wrong is told apart by what has to happen next; no half file is left as a whole."""
    server.offer("bad", answer)

    with pytest.raises(failure):
        await fetcher.fetch("http://public.example/bad", target)

    assert content_of(target) is None


@pytest.mark.parametrize("limit", ["whole", "silence"])
async def test_silent_server_is_left(
    names: Names, network: Network, server: FileServer, target: Path, limit: str
) -> None:
    """A body that stops in the middle is given up after a while."""
    server.offer("bad", Answer(b"slow", length=10, is_slow=True))
    changes: dict[str, Any] = {limit: 0.5}
    limits = replace(LIMITS, **changes)
    url = "http://planfix.example"
    hasty = Fetcher(url, TLS, limits=limits, look_up=names.look_up, network=network)

    with pytest.raises(LinkUnreachable):
        await hasty.fetch("http://public.example/bad", target)

    assert content_of(target) is None


async def test_endless_file_is_cut_off(fetcher: Fetcher, server: FileServer, target: Path) -> None:
    """A body without an announced end is not followed beyond the limit."""
    chunk = b"80\r\n" + b"x" * 128 + b"\r\n"
    endless = Answer(chunk, headers=("Transfer-Encoding: chunked",), repeat=100, length=0)
    server.offer("endless", endless)

    with pytest.raises(FetchFailed):
        await fetcher.fetch("http://public.example/endless", target)

    assert content_of(target) is None


async def test_name_without_address_is_unreachable(
    fetcher: Fetcher, names: Names, target: Path
) -> None:
    """A host that can't be found may be found later."""
    names.answers["gone.example"] = [[]]

    with pytest.raises(LinkUnreachable):
        await fetcher.fetch("http://gone.example/file", target)


async def test_link_that_is_not_ready_is_tried_again(
    fetcher: Fetcher, server: FileServer, target: Path
) -> None:
    """A link may be called a moment before there is something behind it."""
    server.offer("new", Answer(status=404), Answer(b"ready"))

    await fetcher.fetch("http://public.example/new", target)

    assert content_of(target) == b"ready"


async def test_file_that_is_here_is_not_fetched_again(
    fetcher: Fetcher, server: FileServer, target: Path
) -> None:
    """After a crash the file that was fetched before is used."""
    await fetcher.fetch("http://public.example/file", target)
    await fetcher.fetch("http://public.example/file", target)

    assert server.count("file") == 1


@pytest.mark.parametrize(
    ("answer", "code", "tries"),
    [
        (Answer(status=404), "LINK_GONE", 1),
        (Answer(status=500), "LINK_UNREACHABLE", 5),
        (Answer(b""), "FILE_EMPTY", 1),
    ],
)
async def test_text_is_sent_without_the_file(
    mail: Mail, files: FileServer, taras: Account, answer: Answer, code: str, tries: int
) -> None:
    """A file that can't be fetched makes the message an error, not a lost text."""
    link = files.offer("bad.pdf", answer)
    order = mail.begin(taras, "text", bad_pdf=link, good_pdf=b"content")

    await mail.until_done(order)

    assert mail.codes(order) == [code] * tries
    assert mail.failures(order)[-1].next_try is None
    sent = mail.box(taras.id)
    assert [(each.text, bool(each.media)) for each in sent] == [("text", False), ("", True)]


@pytest.mark.parametrize(
    "link",
    [
        "http://169.254.169.254/latest",
        "http://93.184.216.34:99999/a.pdf",
        f"http://93.184.216.34:{'9' * 400}/",
        "redirect",
    ],
)
async def test_hostile_attachment_is_an_error(
    mail: Mail, files: FileServer, taras: Account, link: str
) -> None:
    """The whole way: the link is refused, the text arrives, the row tells why."""
    if link == "redirect":
        headers = ("Location: http://93.184.216.34:99999/",)
        link = files.offer("start", Answer(status=302, headers=headers))
    order = mail.begin(taras, "text", a_pdf=link)

    await mail.until_done(order)

    assert mail.codes(order) == ["LINK_FORBIDDEN"]
    assert mail.texts(taras) == ["text"]


async def test_file_that_comes_later_is_sent(mail: Mail, files: FileServer, taras: Account) -> None:
    """A server that fails for a while only delays the message."""
    link = files.offer("a.pdf", Answer(status=500), Answer(status=500), Answer(b"content"))
    order = mail.begin(taras, "text", a_pdf=link)

    await mail.until_done(order)

    assert mail.is_sent(order)
    assert [(each.text, bool(each.media)) for each in mail.box(taras.id)] == [("text", True)]
