"""The operator's guide saves and restores PostgreSQL."""

from __future__ import annotations

import asyncio
import base64
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from tests.support.databases import execute

if TYPE_CHECKING:
    from tests.support.databases import Postgres

GUIDE = (Path(__file__).parents[4] / "docs" / "operating.md").read_text()
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
ACME = NewNumber("79001234567", "Acme", "https://acme.planfix.com/webchat/api", "planfix-secret")


async def test_commands_of_the_guide_save_and_restore(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    """What was lost after the backup is there again, and only its owner can read the backup."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", GUIDE)
    (save,) = (block for block in blocks if "pg_dump" in block)
    (restore,) = (block for block in blocks if "pg_restore" in block)
    (tmp_path / "data" / "spool").mkdir(parents=True)
    url = postgres_url.replace("+asyncpg", "")
    opening = f"export PATH={postgres.programs}:$PATH HOME={tmp_path} DATABASE_URL='{url}'\n"
    async with Store(postgres_url, KEY) as store:
        await store.numbers.create(ACME)

    await shell(opening + save, tmp_path)
    await execute(postgres_url, "DELETE FROM number")
    await shell(opening + restore, tmp_path)

    async with Store(postgres_url, KEY) as store:
        secrets = await store.numbers.secrets(ACME.number)
    assert secrets.token_planfix == ACME.token_planfix
    for saved in (tmp_path / "telefix-backup").iterdir():
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
