"""One RSA key for all data centres of a test run, as making one takes longer than most tests."""

from __future__ import annotations

import pytest

from sandbox.telegram.protocol.server_key import ServerKey


@pytest.fixture(scope="session")
def server_key() -> ServerKey:
    return ServerKey()
