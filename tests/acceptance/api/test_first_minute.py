"""What a newcomer does first: start, open the console, try every command of the documents, twice."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from tests.acceptance.api.server import TOP, Server, gateway, refused
from tests.support.callers import caller
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")
README = (TOP / "README.md").read_text()
# What fails on purpose, or concerns another machine, is no command for this one.
GUIDES = {
    "docs/troubleshooting.md": {"380501112233": "380500000001"},
    "docs/planfix.md": {
        "https://gateway.example.com": "$GATEWAY",
        "380501112233": "$OTHER",
        "https://romashka.planfix.com/webchat/api": "http://127.0.0.1:1/webchat/api",
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Start what `make run` starts, in a folder that looks like the repository's."""
    folder = tmp_path_factory.mktemp("first")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    settings = {"SANDBOX": "1", "DATA_DIR": str(folder / "data"), "LANGUAGE": "en"}
    async with gateway(folder, settings) as server:
        await server.wait_serving()
        await eventually(lambda: server.log.read_text().count(": online\n") == 2)
        yield server


def blocks_of(text: str, kind: str = "sh") -> list[str]:
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```", text)


def printed(server: Server, name: str) -> str:
    found = re.search(rf"(?m)^  {name} +(\S+)", server.log.read_text())
    assert found is not None, server.log.read_text()
    return found[1]


async def shell(server: Server, commands: str) -> str:
    """Run commands as a newcomer would, and stop at the first that fails."""
    here = commands.replace("http://127.0.0.1:8080", server.url)
    here = here.replace("http://127.0.0.1:8081", printed(server, "Sandbox").rstrip("/"))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", here),
        cwd=server.log.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def section_two() -> list[str]:
    return blocks_of(README.partition("\n## 2. ")[2].partition("\n## 3. ")[0])


async def test_commands_of_the_readme_work_twice(demo: Server) -> None:
    """Section 2 can be followed from its beginning to its end, and then again."""
    commands = "\n".join(section_two())
    for _ in range(2):
        said = await shell(demo, f"{commands}\nsleep 1.1")

        assert '"state":"online"' in said.replace(" ", "")
        for word in ("Is it in stock?", "It is.", "Hello?", '"read"', '"dead"'):
            assert word in said, said


@pytest.mark.parametrize("guide", GUIDES)
async def test_commands_of_the_guides_work(demo: Server, guide: str) -> None:
    """What a guide sends to the gateway is understood by it, every time."""
    found = [block for block in blocks_of((TOP / guide).read_text()) if "curl" in block]
    text = "\n".join(found)
    for example, real in GUIDES[guide].items():
        assert example in text
        text = text.replace(f'"{example}"', f"\"'{real}'\"" if "$" in real else f'"{real}"')
        text = text.replace(example, real)
    for _ in range(2):
        opening = section_two()[0] + "OTHER=38044$(date +%N | head -c 7)\n"

        said = await shell(demo, opening + text.replace("curl -sS", "curl -sS --fail-with-body"))

        assert '"state"' in said


async def test_commands_of_the_guide_to_events_work(demo: Server) -> None:
    """A bot that was added as the guide says tells of a comment in Planfix, without Planfix."""
    add, report = blocks_of((TOP / "docs" / "planfix-events.md").read_text())
    add = add.replace("TOKEN FROM BOTFATHER", "'$BOT'").replace('"en"', '"uk"')
    steps = [
        section_two()[0],
        """BOT=$(box /telegram/accounts -d '{"bot": true, "username": "events_bot"}' | field bot_token)""",
        f"BOT_KEY=$({add.rstrip()} | field key)",
        """box /telegram/messages -d '{"from": "'$CUSTOMER'", "to": "events_bot", "text": "/start ops"}'""",
        """soon '"alias":"ops"' call "/bots/${BOT%%:*}/people" """,
        report.replace("KEY OF THE BOT", "$BOT_KEY"),
        """soon "Does it work" box "/telegram/messages?of=$CUSTOMER&with=events_bot" """,
    ]
    text = "\n".join(steps).replace("curl -sS https", "curl -sS --fail-with-body https")

    said = await shell(demo, text.replace("https://gateway.example.com", "$GATEWAY"))

    assert '"accepted":1' in said.replace(" ", "")


async def test_newcomer_tries_the_teamflame_bot(demo: Server) -> None:
    """The demo's bot answers a person of the demo, and its Mini App may be shown on the sandbox page."""
    sandbox = printed(demo, "Sandbox").rstrip("/")
    chat = {"from": "380670000001", "to": "teamflame_demo_bot", "text": "/start"}
    query = f"{sandbox}/telegram/messages?of={chat['from']}&with={chat['to']}"
    await eventually(lambda: "login: logged_in" in demo.log.read_text())
    async with caller() as http:
        (await http.post(f"{sandbox}/telegram/messages", json=chat)).raise_for_status()

        async def answered() -> Any:
            messages = (await http.get(query)).json()
            return next((each for each in messages if not each["out"]), None)

        answer = await eventually(answered)
        order = {"by": chat["from"], "chat_with": chat["to"], "message_id": answer["id"]}
        pressed = await http.post(f"{sandbox}/telegram/press", json={**order, "button": [0, 0]})
        app = await http.get(pressed.json()["url"])
        raw = dict(parse_qsl(urlsplit(pressed.json()["url"]).fragment))["tgWebAppData"]
        launch = await http.post(
            f"{demo.url}/teamflame/api/auth/telegram", headers={"Authorization": f"tma {raw}"}
        )

    assert "TeamFlame" in answer["text"]
    assert f"{sandbox};" in f"{app.headers['Content-Security-Policy']};"
    assert launch.json()["user"]["first_name"] == "Andriy"
    assert launch.json()["account"] is None


async def test_backup_is_whole_and_private(demo: Server, tmp_path: Path) -> None:
    """The commands of the guide copy a running database, also what is only in its -wal, and restore it."""
    guide = blocks_of((TOP / "docs" / "operating.md").read_text())
    (backup,) = (block for block in guide if "live.backup" in block)
    (restore,) = (block for block in guide if "data/old" in block)
    data, saved = tmp_path / "data", tmp_path / "telefix-backup" / "telefix.db"

    await shell(demo, f"export HOME={tmp_path}\n{backup}")
    data.mkdir()
    for name in ("telefix.db", "telefix.db-wal", "telefix.db-shm"):
        (data / name).write_text("of another day")
    await shell(demo, f"systemctl() {{ :; }}\ncd {tmp_path}; HOME={tmp_path}\n{restore}")

    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert sorted(path.name for path in data.glob("telefix.db*")) == ["telefix.db"]
    assert len(list((data / "old").iterdir())) == 3
    with closing(sqlite3.connect(data / "telefix.db")) as restored:
        numbers = {row[0] for row in restored.execute("SELECT digits FROM number")}
    assert numbers >= {"380500000001", "380500000002"}


async def test_console_link_signs_in_once(demo: Server) -> None:
    """The printed link hands out the key once; whoever only looks at it uses nothing up."""
    link = printed(demo, "Console")
    async with caller() as browser:
        page = await browser.get(link)
        first, second = await browser.post(link), await browser.post(link)
        guess = await browser.post(link[:-4])

    assert link.startswith(f"{demo.url}/console/link/")
    assert page.status_code == 200
    assert "static/console_link.js" in page.text
    assert first.text == printed(demo, "Admin key")
    assert first.headers["Cache-Control"] == "no-store"
    assert [each.status_code for each in (second, guess)] == [404, 404]


async def test_port_in_use_is_one_sentence(demo: Server) -> None:
    """`make run` says which port is taken and how to take another."""
    port = demo.url.rpartition(":")[2]
    check = f"from api.demo import require_free; require_free('{port}')"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", check), cwd=TOP, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 1
    assert re.fullmatch(rf"Port {port} is in use: .* make run PORT=\d+\n", said.decode())
    wanted = check.replace(f"'{port}'", '"$(PORT)"')
    assert wanted in (TOP / "Makefile").read_text()


async def test_sandbox_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """The page of the sandbox has a port of its own, which may be taken as well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {"SANDBOX": "1", "DATA_DIR": str(tmp_path), "SANDBOX_PORT": str(port)}
        status, said = await refused(tmp_path, settings)

    assert status == 78
    assert f"port {port} is in use; choose another one with SANDBOX_PORT" in said
    assert "Traceback" not in said
