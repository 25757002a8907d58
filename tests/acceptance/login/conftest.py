"""A phone of its own for each test, at a gateway that all tests of the folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.acceptance.api.conftest import number
from tests.acceptance.api.stage import folder, operator, sandbox, server, settings, stage
from tests.acceptance.login.phone import PASSWORD, Phone, new_phone

if TYPE_CHECKING:
    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

__all__ = ["folder", "number", "operator", "sandbox", "server", "settings", "stage"]


@pytest_asyncio.fixture(loop_scope="session")
async def phone(operator: Operator, server: Server, number: str) -> Phone:
    return await new_phone(operator, server, number)


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(operator: Operator, server: Server, number: str) -> Phone:
    """A phone whose account has a password."""
    return await new_phone(operator, server, number, password=PASSWORD)
