"""One worker after another breaks; the others do not notice."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from supervisor.store.values import BotDetails
from tests.process.workers.conftest import POLICY, new_number
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.process.workers.conftest import RunningGateway

BROKEN = "380500000099"
OTHERS = [f"3805000000{i:02}" for i in range(10)]


@pytest.mark.parametrize(
    ("way", "error"),
    [
        ("raise", "worker_crashed"),
        ("exit", "worker_crashed"),
        ("return", "worker_crashed"),
        ("balloon", "worker_crashed"),
        ("abort", "worker_killed"),
        ("nonsense", "worker_killed"),
        ("spin", "worker_unresponsive"),
        ("block", "worker_unresponsive"),
    ],
)
async def test_misbehaving_worker_is_replaced(
    hasty_house: RunningGateway, caplog: pytest.LogCaptureFixture, way: str, error: str
) -> None:
    """Whatever a session does to its process, the number comes back; a healed crash is over."""
    await hasty_house.add(BROKEN, way)

    old = await hasty_house.misbehave(BROKEN)

    view = await hasty_house.until(BROKEN, "online", restarts=1)
    assert view.worker is not None
    assert view.worker.pid != old
    assert view.restarts == 1
    assert f"worker ended: {error}" in caplog.text
    assert view.last_error is None
    told = [line.text for line in hasty_house.gateway.log_of(BROKEN).after(None)]
    assert f"its process ended: {error}" in told
    assert any("the worker crashed" in line for line in told) == (
        way in {"raise", "return", "balloon"}
    )


async def test_flooded_worker_lets_others_go_first(house: RunningGateway) -> None:
    """A worker with a long queue does not push others off the processor; those without one may."""
    await house.add(OTHERS[0])
    await house.add(BROKEN, "flooded")
    flooded, other = await house.pid(BROKEN), await house.pid(OTHERS[0])

    await eventually(lambda: os.sched_getscheduler(flooded) == os.SCHED_BATCH)

    assert os.sched_getscheduler(other) == os.SCHED_OTHER


async def test_worker_that_grows_is_replaced(
    ageing_house: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker over its memory line ends in order and is replaced; that is no crash, and no other's."""
    await ageing_house.add(OTHERS[0])
    other = await ageing_house.pid(OTHERS[0])
    await ageing_house.add(BROKEN, "grow")

    old = await ageing_house.misbehave(BROKEN)

    view = await ageing_house.until_true(
        BROKEN,
        lambda view: view.state == "online" and view.worker is not None and view.worker.pid != old,
        "replaced",
    )
    assert (view.restarts, view.last_error) == (0, None)
    assert await ageing_house.pid(OTHERS[0]) == other
    assert "SIGTERM" not in caplog.text


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (signal.SIGKILL, "worker_killed"),
        (signal.SIGABRT, "worker_killed"),
        (signal.SIGSTOP, "worker_unresponsive"),
    ],
)
async def test_worker_struck_from_outside_is_replaced(
    hasty_house: RunningGateway,
    caplog: pytest.LogCaptureFixture,
    number: signal.Signals,
    error: str,
) -> None:
    """A killed, aborted or frozen worker is noticed, replaced, counted; none needs to be killed."""
    await hasty_house.add(BROKEN)
    old = await hasty_house.pid(BROKEN)

    os.kill(old, number)

    view = await hasty_house.until(BROKEN, "online", restarts=1)
    assert view.worker is not None
    assert view.worker.pid != old
    assert f"worker ended: {error}" in caplog.text
    assert "gets SIGKILL" not in caplog.text
    assert view.last_error is None


async def test_hanging_worker_is_shown_as_stalled(house: RunningGateway) -> None:
    """A worker that has missed two beats is not shown as online, even before it is ended."""
    await house.add(BROKEN, "block")
    pid = await house.misbehave(BROKEN)

    view = await house.until(BROKEN, "stalled")

    assert view.status == "offline"
    assert view.worker is not None
    assert view.worker.pid == pid
    os.kill(pid, signal.SIGKILL)  # an orderly stop would wait for it


async def test_many_silent_workers_are_not_ended(house: RunningGateway) -> None:
    """Workers that are frozen all at once are left alone: it is the machine that stood still."""
    for number in OTHERS:
        await house.add(number)
    pids = [await house.pid(number) for number in OTHERS]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for number in OTHERS:
        await house.until(number, "stalled")

    for pid in pids:
        os.kill(pid, signal.SIGCONT)

    for number in OTHERS:
        await house.until(number, "online")
    assert [await house.pid(number) for number in OTHERS] == pids


async def test_endless_loop_in_one_leaves_ten_answering(hasty_house: RunningGateway) -> None:
    """While one worker spins without an await the others keep their processes, answer their beats."""
    await hasty_house.add(BROKEN, "spin")
    for number in OTHERS:
        await hasty_house.add(number)
    pids = [await hasty_house.pid(number) for number in OTHERS]

    await hasty_house.misbehave(BROKEN)
    await hasty_house.until(BROKEN, "online", restarts=1)

    views = [await hasty_house.until(number, "online") for number in OTHERS]
    assert [view.worker and view.worker.pid for view in views] == pids
    assert {view.restarts for view in views} == {0}


async def test_crash_loop_is_parked_with_its_reason(house: RunningGateway) -> None:
    """A number whose worker always crashes is left alone once its budget is spent."""
    await house.add(BROKEN, "now raise")

    view = await house.until(BROKEN, "parked")

    assert view.restarts == 3
    assert view.last_error is not None
    assert view.last_error.code == "worker_crashed"
    assert "PUT /webhook" in view.last_error.action


async def test_parked_number_runs_again_when_asked(house: RunningGateway) -> None:
    """A restart by a person begins with a clean slate."""
    await house.add(BROKEN, "raise")
    for restarts in range(1, POLICY.budget + 1):
        await house.misbehave(BROKEN)
        await house.until(BROKEN, "online", restarts=restarts)
    await house.misbehave(BROKEN)
    await house.until(BROKEN, "parked")

    await house.gateway.restart(BROKEN)
    restarted = await house.gateway.show(BROKEN)

    assert restarted.restarts == 0
    assert restarted.last_error is None
    await house.until(BROKEN, "online")


async def test_session_that_can_not_be_made_parks_at_once(house: RunningGateway) -> None:
    """A failed boot is not tried again: nothing would be different."""
    await house.add(BROKEN, "no boot")

    view = await house.until(BROKEN, "parked")

    assert view.restarts == 0
    assert view.last_error is not None
    assert view.last_error.code == "boot_failed"


async def test_lost_login_is_not_restarted(house: RunningGateway) -> None:
    """A revoked session waits for a login, its worker ends."""
    await house.add(BROKEN, "revoked")
    await house.misbehave(BROKEN)

    await house.until(BROKEN, "needs_login")
    gone = await house.until_true(BROKEN, lambda view: view.worker is None, "without a worker")

    assert gone.state == "needs_login"
    assert gone.restarts == 0
    assert gone.last_error is not None
    assert gone.last_error.code == "session_revoked"


async def test_worker_that_does_not_stop_is_made_to(hasty_house: RunningGateway) -> None:
    """A session that hangs while it stops delays its own number only, for a bounded time."""
    await hasty_house.add(BROKEN, "never stop")
    pid = await hasty_house.pid(BROKEN)

    async with asyncio.timeout(PATIENCE):
        await hasty_house.gateway.stop(BROKEN)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_next_worker_starts_after_the_old_is_gone(house: RunningGateway) -> None:
    """Across restarts no process of a number is there when its next one begins."""
    await house.add(BROKEN)
    pids = [await house.pid(BROKEN)]

    for _ in range(5):
        await house.gateway.restart(BROKEN)
        with pytest.raises(ProcessLookupError):
            os.kill(pids[-1], 0)
        await house.until(BROKEN, "online")
        pids.append(await house.pid(BROKEN))

    assert len(set(pids)) == 6


async def test_start_that_the_database_stops_leaves_no_process(house: RunningGateway) -> None:
    """A bot whose stored events cannot be read has no process: beside one, a second one would start."""
    await house.add(OTHERS[0])
    other = await house.pid(OTHERS[0])
    await house.gateway.database.write(lambda connection: connection.execute(_DROP_HEARD).close())

    bot = replace(new_number("7000001"), bot=BotDetails("7000001:secret"))
    await house.gateway.create(bot)
    await house.until(bot.number, "parked")

    assert _children_of(_parent_of(other)) == {other}


_DROP_HEARD = text("DROP TABLE heard")


def _parent_of(pid: int) -> int:
    """Return 0 if the process is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _children_of(parent: int) -> set[int]:
    """Find the processes of a parent, also those that have ended and were not reaped."""
    pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
    return {pid for pid in pids if _parent_of(pid) == parent}
