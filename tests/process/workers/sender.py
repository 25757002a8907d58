"""A gateway as a program that accepts one message after the other, until it is killed.

Run as `python -m tests.process.workers.sender FOLDER DATABASE_URL NUMBER FIRST LAST`; it names
each message that it has accepted, then says when nothing is left to be done.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.config import Config
from supervisor.errors import NumberExists, RecipientUnknown
from supervisor.journal.pending import Excluded
from supervisor.messages.message_service import OutgoingMessage
from supervisor.numbers.restart_policy import RestartPolicy
from tests.fakes.spool_session import CHATS
from tests.process.workers.conftest import PATIENT, make_gateway, new_number
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from supervisor.gateway import Gateway


async def main(folder: Path, url: str, number: str, first: int, last: int) -> None:
    config = Config(
        folder, folder, 1, "hash", session_factory="tests.fakes.spool_session:SpoolSession"
    )
    async with make_gateway(config, url, PATIENT, RestartPolicy()) as gateway:
        with suppress(NumberExists):
            await gateway.create(new_number(number))
        for place in range(first, last):
            await accept(gateway, number, place)
            say(str(place))
        await eventually(lambda: is_done(gateway, number))
        say("done")


async def accept(gateway: Gateway, number: str, place: int) -> None:
    chat_id = f"{number}_{1 + place % CHATS}"
    draft = OutgoingMessage(f"{place:03}", "Hello", chat_id=chat_id)
    while True:
        try:
            await gateway.messages.accept(number, draft)
        except RecipientUnknown:  # the contact has not written yet
            await asyncio.sleep(0.01)
        else:
            return


async def is_done(gateway: Gateway, number: str) -> bool:
    backlog = (await gateway.show(number)).backlog
    owed = await (await gateway._keepers.dispatchers.of(number)).journal.owed(Excluded(), 1)
    return backlog.into + backlog.out == 0 and owed[1] == 0


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    )
