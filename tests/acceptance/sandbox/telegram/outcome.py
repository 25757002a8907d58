"""What became of connections, of those that something bad was sent over and of the others."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from logging import ERROR
from typing import TYPE_CHECKING

from telethon.tl import functions, types

from sandbox.telegram.protocol.encryption import PacketBroken

if TYPE_CHECKING:
    import pytest

    from tests.acceptance.sandbox.telegram.raw_client import RawClient

GET_STATE = functions.updates.GetStateRequest()


async def was_closed(raw: RawClient) -> bool:
    """Tell whether the server hung up; if not, it has dealt with all that was sent so far."""
    raw.received.clear()
    try:
        raw.send(functions.PingRequest(1))
        await raw.until(types.Pong)
    except ConnectionError:
        return True
    except PacketBroken:  # the bare code of an error, before the end
        return await raw.is_hung_up_on()
    return False


def listen_for_errors(log: pytest.LogCaptureFixture) -> None:
    """Begin to look for errors, of this test alone."""
    # Futures that earlier tests left complain when they are collected.
    gc.collect()
    log.set_level(ERROR)


@dataclass(frozen=True, slots=True)
class Bystander:
    """A client that does nothing wrong while others do."""

    raw: RawClient
    log: pytest.LogCaptureFixture

    async def complaints(self) -> list[str]:
        """Tell what is wrong, if anything: with the answer to a request, in the log of errors."""
        self.raw.received.clear()
        answer = await self.raw.answer_to(self.raw.send(GET_STATE))
        logged = [r.exc_text or r.getMessage() for r in self.log.records if r.levelno >= ERROR]
        return logged if answer.error is None else [str(answer.error), *logged]
