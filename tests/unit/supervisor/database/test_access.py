"""A database that is away is told of once, whoever wants it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from supervisor.database.database import Access
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


def test_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """However many want the database, the log tells when it was lost, then when it was found."""
    caplog.set_level(logging.INFO)
    access = Access("written")

    for _ in range(200):
        with pytest.raises(DatabaseUnavailable):
            run(access, fail)
    for _ in range(200):
        run(access, lambda: None)

    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be written: ConnectionRefusedError",
        "the database is written again, after 200 failures",
    ]


def run(access: Access, work: Callable[[], None]) -> None:
    with access.watched():
        work()


def fail() -> None:
    raise ConnectionRefusedError
