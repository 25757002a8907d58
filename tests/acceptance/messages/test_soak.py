"""A short run of what `make soak` does at length."""

from __future__ import annotations

import random

import pytest

from benchmarks.soak.soak import soak


@pytest.mark.timeout(900)
@pytest.mark.counts_messages
async def test_random_kills_lose_nothing() -> None:
    """Whichever processes are killed, all that was written arrives, in order, once in Telegram."""
    seed = random.SystemRandom().getrandbits(32)

    outcome = await soak(240, numbers=4, rate=80.0, seed=seed)

    assert outcome.is_good, f"with seed {seed}: {outcome}"
    assert outcome.worker_kills + outcome.gateway_kills > 0
