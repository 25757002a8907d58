"""One gateway with a sandbox for all tests of the folder, and one bot that has met somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.acceptance.bots import conftest as bots

if TYPE_CHECKING:
    from tests.acceptance.bots.conftest import Bot, Stage

folder, sandbox, server = bots.folder, bots.sandbox, bots.server
own_token, settings, stage = bots.own_token, bots.settings, bots.stage


@pytest_asyncio.fixture(loop_scope="session")
async def bot(stage: Stage) -> Bot:
    """Make a bot whose chat is silent once its person has registered."""
    made = await bots.make_bot(stage)
    await made.write("/start ops")
    await made.said(2)
    return made
