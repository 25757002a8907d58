"""What follows from the answers of a service that is anything but helpful."""

from __future__ import annotations

import pytest

from teamflame.errors import Limited
from teamflame.service.client import LONGEST_REST, ServiceClient, ServiceConfig
from teamflame.service.endpoints import Call
from tests.fakes.file_server import Answer, FileServer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("inf", LONGEST_REST),
        ("1e999", LONGEST_REST),
        ("nan", 0.0),
        ("-5", 0.0),
        ("soon", 1.0),
    ],
)
async def test_wait_that_the_service_asks_for_is_finite(header: str, seconds: float) -> None:
    """Callers are told in whole seconds when to come again, whatever the service says."""
    async with FileServer() as server:
        refusal = Answer(status=429, headers=(f"Retry-After: {header}",))
        server.offer("space/spacesByUserId", refusal)
        client = ServiceClient(ServiceConfig(server.url, server.url, attempts=1))

        with pytest.raises(Limited) as limited:
            await client.call(Call.SPACES, token="token")
        await client.close()

    assert limited.value.seconds == seconds
