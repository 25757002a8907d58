"""The brake on guessing keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.security.authenticator import BURST, CHANGES, MOST_ADDRESSES, FadingLimit
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

HERE = "192.0.2.1"


def test_address_waits_after_its_burst() -> None:
    """As many wrong keys as the burst are free, the next one waits."""
    limit = FadingLimit(burst=3, refill=10.0)

    for _ in range(3):
        assert limit.wait(HERE, now=0.0) == 0
        limit.count(HERE, now=0.0)

    assert limit.wait(HERE, now=0.0) == 10.0
    assert limit.wait("192.0.2.2", now=0.0) == 0


def test_count_fades() -> None:
    """After the time it was told to wait, the address may guess once more."""
    limit = FadingLimit(burst=1, refill=10.0)
    limit.count(HERE, now=0.0)

    assert limit.wait(HERE, now=9.0) == pytest.approx(1.0)
    assert limit.wait(HERE, now=10.0) == 0


@given(times=st.lists(st.floats(0, 1000), max_size=200).map(sorted))
def test_no_more_guesses_than_promised(times: list[float]) -> None:
    """However guesses are timed, burst plus one for each refill is the most."""
    limit = FadingLimit(burst=5, refill=10.0)

    looked_at = 0
    for now in times:
        if not limit.wait(HERE, now):
            limit.count(HERE, now)
            looked_at += 1

    assert looked_at <= 5 + (max(times, default=0.0) - min(times, default=0.0)) / 10.0 + 1


def test_memory_is_bounded() -> None:
    """Guesses from ever new addresses do not fill the memory."""
    limit = FadingLimit(burst=1)

    for address in range(MOST_ADDRESSES + 10):
        limit.count(str(address), now=0.0)

    assert limit.wait("0", now=0.0) == 0
    assert limit.wait(str(MOST_ADDRESSES + 9), now=0.0) > 0


@pytest.mark.usefixtures("autojump_clock")
async def test_client_changes_its_number_only_so_often(client: TestClientProtocol) -> None:
    """What a client does is recorded for ever and starts workers; the operator's own actions are not limited."""
    key, path = bearer(await start(client)), f"/numbers/{NUMBER}/restart"
    allowed = {(await client.post(path, headers=key)).status_code for _ in range(CHANGES)}

    refused = await client.post(path, headers=key)
    others = await client.post(path, headers=bearer(ADMIN_KEY))

    assert allowed == {200}
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert (await refused.get_json())["error"] == "too_many_changes"
    assert others.status_code == 200


async def test_guesses_fill_no_log(
    client: TestClientProtocol, caplog: pytest.LogCaptureFixture
) -> None:
    """A script with an old key is logged, so that somebody mends it; who guesses on is not."""
    answers = [
        (await client.post("/webhook/planfix-event", json={"token": f"guess {number}"})).status_code
        for number in range(2 * BURST)
    ]

    logged = sum("wrong key" in line.getMessage() for line in caplog.records)
    assert set(answers) == {401, 429}
    assert logged <= answers.count(401) + 1
