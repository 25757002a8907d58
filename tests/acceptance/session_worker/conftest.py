"""A data centre with two people in it, one of them a number of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.data_centre import DataCentre
from tests.acceptance.session_worker.number import Number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.protocol.server_key import ServerKey

PHONE = "380501112233"
CONTACT = "380671112233"


@pytest.fixture
async def telegram(server_key: ServerKey) -> AsyncIterator[DataCentre]:
    async with DataCentre(server_key=server_key) as centre:
        centre.add_account(PHONE, "Olena")
        centre.add_account(CONTACT, "Taras", username="taras_m")
        yield centre


@pytest.fixture
async def number(telegram: DataCentre) -> AsyncIterator[Number]:
    """Give a number that is logged in but not yet started."""
    made = Number(telegram, PHONE)
    yield made
    if made.running is not None and not made.running.done():
        await made.account.stop()


@pytest.fixture
def write(telegram: DataCentre) -> Callable[..., Posted]:
    """Let the contact write to the number, or the number's owner on another device."""

    def send(text: str, sender: str = CONTACT, recipient: str = PHONE) -> Posted:
        people = telegram.account_of(sender), telegram.account_of(recipient)
        return telegram.message_actions.send(*people, Draft(text))

    return send
