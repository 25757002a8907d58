"""Random lives of several numbers at a time, against a model of what must be true."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING

from tests.acceptance.api.conftest import NUMBERS
from tests.acceptance.api.number_model import NumberModel
from tests.acceptance.api.server import forked_gateway
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

STEPS = 10  # of each number, before the gateway is killed as well as after it


async def test_any_life_is_as_the_model_says(
    tmp_path: Path, settings: dict[str, str], operator: Operator
) -> None:
    """POST, PUT, DELETE, restarts, kills, wrong keys in any order: state, tokens, workers are right."""
    seed = random.randrange(2**32)
    print(f"the seed of these lives is {seed}")  # noqa: T201 - shown when the test fails
    stories = [
        NumberModel(operator, str(next(NUMBERS)), random.Random(f"{seed} {place}"))
        for place in range(4)
    ]
    for model in stories:
        await operator.bring_session(model.number)

    for _ in range(2):
        async with forked_gateway(tmp_path, settings) as server:
            await server.wait_ready()
            await asyncio.gather(*(model.holds(server) for model in stories))
            await asyncio.gather(*(model.go_on(server, STEPS) for model in stories))
            await _workers_are(server, sum(model.runs for model in stories))
            await server.end(signal.SIGKILL)


async def _workers_are(server: Server, number: int) -> None:
    await eventually(lambda: _workers(server) == number, awaited=f"{number} workers")


def _workers(server: Server) -> int:
    """Count what was forked from the forkserver: nothing else that the gateway starts has children."""
    gateway = server.family[0]
    return len(gateway.children(recursive=True)) - len(gateway.children())
