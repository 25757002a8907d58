"""What waits in the gateway's memory for one worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.messages import Trying
from supervisor.processes.worker_run import EventQueue, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = Limits(events=5, weight=100, events_at_once=3, weight_at_once=50)


async def fill(queue: EventQueue, weights: Sequence[int]) -> None:
    for row, weight in enumerate(weights):
        await queue.put(Trying(row=row), weight)
    queue.finish()


@given(st.lists(st.integers(1, 300), max_size=40))
def test_all_come_in_order_within_the_limits(weights: list[int]) -> None:
    """Whatever they weigh, events come once, in order, in batches that are small or of one event."""

    async def flow() -> list[list[Trying]]:
        queue = EventQueue(SMALL)
        filling = asyncio.create_task(fill(queue, weights))
        batches = []
        async for batch in queue.batches():
            heaviest = SMALL.weight + max(weights)
            assert queue.weight < heaviest
            batches.append([event for event in batch if isinstance(event, Trying)])
            await asyncio.sleep(0)
        await filling
        assert queue.weight == 0
        return batches

    batches = asyncio.run(flow())

    assert [event.row for batch in batches for event in batch] == list(range(len(weights)))
    for batch in batches:
        assert len(batch) <= SMALL.events_at_once
        assert len(batch) == 1 or sum(weights[event.row] for event in batch) <= 50


async def test_batch_counts_until_it_is_dealt_with() -> None:
    """While what was taken is being stored it still is in memory, so there is no more room than that."""
    queue = EventQueue(SMALL)
    await queue.put(Trying(row=1), 100)
    batches = queue.batches()
    await anext(batches)
    putting = asyncio.create_task(queue.put(Trying(row=2), 1))
    await asyncio.sleep(0)
    was_waiting = not putting.done()

    assert was_waiting
    assert queue.is_full
    assert await anext(batches) == [Trying(row=2)]
    await putting
