"""Who waits when Telegram asks for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.telegram.errors import FloodWait, Refused
from session_worker.telegram.sending.flood_control import SPAM_LIMIT, FloodControl

if TYPE_CHECKING:
    from session_worker.protocol.contract import Trouble
    from tests.support.clock import AutojumpClock

ONE, TWO, THREE = 1, 2, 3


class Text:
    """A kind of request."""


class Photo:
    """Another kind of request."""


@dataclass
class Account:
    """Remembers what was told, answers what it is given."""

    told: list[Trouble | None] = field(default_factory=list)
    answer: Exception | None = None
    asked: int = 0

    def limit(self, trouble: Trouble | None) -> None:
        self.told.append(trouble)

    async def ask(self, request: Any) -> str:
        self.asked += 1
        if self.answer is not None:
            raise self.answer
        return "done"


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def throttle(account: Account, autojump_clock: AutojumpClock) -> FloodControl:
    return FloodControl(account, autojump_clock.time)


async def refuse(throttle: FloodControl, account: Account, request: Any, peer: int) -> None:
    account.answer = FloodWait(60, "FLOOD_WAIT")
    with pytest.raises(FloodWait):
        await throttle.ask(account.ask, request, peer)
    account.answer = None


async def test_wait_of_one_chat_is_its_own(throttle: FloodControl, account: Account) -> None:
    """While one chat waits, others may ask."""
    await refuse(throttle, account, Text(), ONE)

    assert await throttle.ask(account.ask, Text(), TWO) == "done"


async def test_second_refusal_means_the_account(throttle: FloodControl, account: Account) -> None:
    """When a second chat is refused meanwhile, a third does not even ask, for this kind."""
    await refuse(throttle, account, Text(), ONE)
    await refuse(throttle, account, Text(), TWO)

    with pytest.raises(FloodWait) as wait:
        await throttle.ask(account.ask, Text(), THREE)

    assert wait.value.seconds == pytest.approx(60)
    assert account.asked == 2
    assert await throttle.ask(account.ask, Photo(), THREE) == "done"


async def test_repeated_refusal_of_one_chat_is_its_own(
    throttle: FloodControl, account: Account
) -> None:
    """A chat that is refused twice proves nothing about the account."""
    await refuse(throttle, account, Text(), ONE)
    await refuse(throttle, account, Text(), ONE)

    assert await throttle.ask(account.ask, Text(), TWO) == "done"


async def test_pause_ends(
    throttle: FloodControl, account: Account, autojump_clock: AutojumpClock
) -> None:
    """When the time is over, everybody may ask again; the account says so."""
    await refuse(throttle, account, Text(), ONE)
    await refuse(throttle, account, Text(), TWO)

    await _pass(60.1)

    assert await throttle.ask(account.ask, Text(), THREE) == "done"
    assert account.told[0] is not None
    assert account.told[-1] is None


async def test_short_waits_are_not_told(throttle: FloodControl, account: Account) -> None:
    """Nobody is bothered with waits that nobody notices."""
    throttle.record_wait("Text", ONE, 3)

    assert account.told == []


async def test_spam_limit_keeps_strangers_out(throttle: FloodControl, account: Account) -> None:
    """PEER_FLOOD is told for as long as no first contact is made."""
    account.answer = Refused(400, "PEER_FLOOD")
    with pytest.raises(Refused):
        await throttle.ask(account.ask, Text(), ONE)

    assert throttle.blocks_first_contacts
    assert account.told[0] is not None
    assert account.told[0].detail == "PEER_FLOOD"
    await _pass(SPAM_LIMIT + 1)
    assert not throttle.blocks_first_contacts


async def test_longer_limit_is_not_shortened(throttle: FloodControl, account: Account) -> None:
    """A short wait during a long one does not end what is told."""
    throttle.record_suspicion("PEER_FLOOD")
    throttle.record_wait("Text", ONE, 10)

    await _pass(11)

    assert len(account.told) == 1
    throttle.close()


async def _pass(seconds: float) -> None:
    await asyncio.sleep(seconds)
