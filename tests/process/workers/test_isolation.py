"""One worker breaks; ten others with real Telegram sessions hear what is written to them meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supervisor.config import TelegramDataCentre
from supervisor.login.session_transfer import SessionSource
from tests.acceptance.api.operator import Operator
from tests.acceptance.api.server import running_sandbox
from tests.process.workers.conftest import HASTY, RunningGateway, make_gateway, new_number
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.config import Config
    from supervisor.numbers.view import View

BROKEN = "380500000099"
OTHERS = [f"3805000000{i:02}" for i in range(10)]
FRIEND = "380670000001"


@pytest.fixture
async def operator(tmp_path: Path, config: Config) -> AsyncIterator[tuple[Operator, Config]]:
    """Give hands in a sandbox, with a configuration that leads there."""
    async with (
        running_sandbox(tmp_path) as addresses,
        caller() as http,
    ):
        host, _, port = addresses["TELEGRAM_DC"].rpartition(":")
        key = await asyncio.to_thread(Path(addresses["TELEGRAM_DC_KEY"]).read_text)
        wild = replace(
            config,
            data_centre=TelegramDataCentre(host, int(port), key),
            session_factory="tests.fakes.misbehaving:MisbehavingNumber",
        )
        yield Operator(http, addresses["SANDBOX_URL"], config.session_root), wild


@pytest.mark.parametrize(
    ("way", "number"),
    [
        ("telegram", signal.SIGKILL),
        ("telegram", signal.SIGSTOP),
        ("spin", signal.SIGUSR1),
        ("balloon", signal.SIGUSR1),
    ],
    ids=["killed", "stopped", "spinning", "ballooning"],
)
async def test_ten_others_go_on_hearing(
    operator: tuple[Operator, Config], sqlite_url: str, way: str, number: signal.Signals
) -> None:
    """While one worker is struck the others keep their processes, hear Telegram, answer at once."""
    hands, config = operator
    await hands.open_account(FRIEND)
    async with make_gateway(config, sqlite_url, HASTY) as gateway:
        house = RunningGateway(gateway)
        for each in (BROKEN, *OTHERS):
            await hands.bring_session(each)
            await gateway.create(new_number(each, way), SessionSource(each))
        pids = {each: _pid(await house.until(each, "online")) for each in (BROKEN, *OTHERS)}

        os.kill(pids[BROKEN], number)
        for each in OTHERS:
            await hands.write(FRIEND, each, "Hello")
        for each in OTHERS:
            await house.until_true(each, _has_heard, "hearing")
        views = [await house.until(each, "online") for each in OTHERS]
        back = await house.until(BROKEN, "online", restarts=1)

    assert [(_pid(view), view.restarts) for view in views] == [(pids[each], 0) for each in OTHERS]
    assert back.restarts == 1
    assert [(await hands.connections(each))["peak_per_key"] for each in pids] == [1] * len(pids)


def _pid(view: View) -> int:
    assert view.worker is not None, view
    return view.worker.pid


def _has_heard(view: View) -> bool:
    return view.last_heard is not None
