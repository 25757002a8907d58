"""Two gateways that share nothing but a PostgreSQL database."""

from __future__ import annotations

import asyncio
import re
import stat
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.lifecycle.server_process import START_REFUSED
from supervisor.login.session_transfer import read_string_session
from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.operator import ADMIN_KEY, SECRET_KEY
from tests.acceptance.api.server import TOP, forked_gateway, refused
from tests.support.databases import execute
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server
    from tests.support.databases import Postgres

GUIDE = (TOP / "docs" / "operating.md").read_text()
WAIT = text("SELECT pg_advisory_lock(32286, 61893)")
END_OWNER = text("""
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (SELECT count(*) FROM pg_locks AS other
           WHERE other.locktype = 'advisory' AND NOT other.granted
             AND other.database = pg_locks.database) = 1
""")


async def test_restored_database_serves_one_gateway(
    tmp_path: Path,
    settings: dict[str, str],
    operator: Operator,
    number: str,
    postgres: Postgres,
    postgres_url: str,
) -> None:
    """A number that was saved and restored as the guide says is online and delivers; no second gateway may start.

    Only the owner of the backup can read it.
    """
    database = {**settings, "DATABASE_URL": postgres_url}
    await save_and_restore(operator, number, postgres, postgres_url, tmp_path)
    async with forked_gateway(tmp_path, database) as first:
        await first.wait_ready()
        await eventually(lambda: is_online(operator, first, number), awaited="the number is online")
        contact = str(next(NUMBERS))
        await operator.open_account(contact)
        await operator.write(contact, number, "Is this cat yours?")
        await eventually(lambda: has_arrived(operator, "Is this cat yours?"))

        status, words = await refused(tmp_path, {**database, "DATA_DIR": str(tmp_path / "other")})

        assert await first.status("/readyz") == 200
    assert status == START_REFUSED
    assert "another DATA_DIR uses this database" in words


async def save_and_restore(
    operator: Operator, number: str, postgres: Postgres, url: str, folder: Path
) -> None:
    """Put a number that is logged in into the database, save it, lose it, and restore it."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", GUIDE)
    (save,) = (block for block in blocks if "pg_dump" in block)
    (restore,) = (block for block in blocks if "pg_restore" in block)
    (folder / "data" / "spool").mkdir(parents=True)
    address = url.replace("+asyncpg", "")
    opening = f"export PATH={postgres.programs}:$PATH HOME={folder} DATABASE_URL='{address}'\n"
    planfix = {"planfix_token": "planfix-token", "provider_id": "telegram"}
    await operator._control("PUT", "/planfix/romashka", **planfix)
    await operator.open_account(number)
    made = await operator._control("POST", "/telegram/sessions", phone=number)
    async with Store(url, SECRET_KEY) as store:
        webchat = f"{operator._sandbox_url}/planfix/romashka/webchat/api"
        created = await store.numbers.create(
            NewNumber(number, "Romashka", webchat, "planfix-token", "telegram")
        )
        session = read_string_session(made["string_session"])
        await store.sessions.save(number, created.number.epoch, session)

    await shell(opening + save, folder)
    await execute(url, "TRUNCATE number CASCADE")
    await shell(opening + restore, folder)

    for saved in (folder / "telefix-backup").iterdir():
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600


async def shell(commands: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", commands),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def is_online(operator: Operator, server: Server, number: str) -> bool:
    shown = await operator.call(server, "GET", f"/numbers/{number}", ADMIN_KEY)
    return bool(shown.raise_for_status().json()["state"] == "online")


async def has_arrived(operator: Operator, text: str) -> bool:
    messages = await operator._control("GET", "/planfix/romashka/messages")
    return text in str(messages)


async def test_gateway_ends_when_it_was_replaced(
    tmp_path: Path, settings: dict[str, str], postgres_url: str
) -> None:
    """Who finds another owner of the database in its place stops in order, its numbers with it."""
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with (
        forked_gateway(tmp_path, {**settings, "DATABASE_URL": postgres_url}) as server,
        engine.connect() as waiting,
        engine.connect() as ending,
    ):
        await server.wait_ready()
        taking = asyncio.create_task(waiting.execute(WAIT))
        await eventually(lambda: _is_ended(ending))

        await taking
        status = await server.process.wait()
    await engine.dispose()

    assert status == 0
    assert "another gateway has taken the database" in server.log.read_text()


async def _is_ended(ending: AsyncConnection) -> bool:
    """End the owner's connection as soon as somebody waits for its place."""
    return bool((await ending.execute(END_OWNER)).scalar())
