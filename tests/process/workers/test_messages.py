"""Messages between the journal and real workers that die at any moment."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import (
    FileGone,
    LinkInvalid,
    MessageEmpty,
    MessageNotDead,
    MessageTooLarge,
    MessageUnknown,
    NumberUnknown,
    RecipientUnknown,
    WorkerUnavailable,
)
from supervisor.journal.browsing import Selection
from supervisor.messages.file_links import MessageFile
from supervisor.messages.message_service import AttachmentDraft, OutgoingMessage
from supervisor.numbers.restart_policy import RestartPolicy
from tests.acceptance.api.launcher import fork_gateway
from tests.fakes.spool_session import MORTAL, SpoolFiles
from tests.process.workers.conftest import PATIENT, RunningGateway, make_gateway, new_number
from tests.process.workers.watched_gateway import TOP
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from supervisor.config import Config
    from tests.acceptance.api.launcher import Forked

NUMBER = "380500000001"
SENDER = "tests.process.workers.sender"
KNOWN = f"{NUMBER}_5"
UNDYING = RestartPolicy(budget=10_000, first_pause=0.0, longest_pause=0.01)


@pytest.fixture
async def gateway(config: Config, database_url: str) -> AsyncIterator[RunningGateway]:
    postal = replace(config, session_factory="tests.fakes.spool_session:SpoolSession")
    async with make_gateway(postal, database_url, PATIENT, UNDYING) as gateway:
        yield RunningGateway(gateway)


@pytest.fixture
def files(config: Config) -> SpoolFiles:
    return SpoolFiles(config.spool_of(NUMBER))


def to(chat_id: str, planfix_id: str, text: str = "Hello") -> OutgoingMessage:
    return OutgoingMessage(planfix_id, text, chat_id=chat_id)


def assert_all_is_well(files: SpoolFiles, *, sent: int, came: int) -> None:
    """Check that all is there, in order, once in Telegram, without echoes in Planfix."""
    out = files.read("out")
    assert len(out) == len({random_id for random_id, *_ in out}) == sent
    for chat in "123":
        names = [name for _, peer_id, name in out if peer_id == chat]
        assert names == sorted(names)
        taken = [int(message_id) for peer_id, message_id in files.read("in") if peer_id == chat]
        first = list(dict.fromkeys(taken))
        assert first == sorted(first)
    assert came_in(files) == set(range(1, came + 1))


def came_in(files: SpoolFiles) -> set[int]:
    return {int(message_id) for _, message_id in files.read("in")}


@dataclass(frozen=True)
class Sender:
    """A gateway that accepts one message after the other, and what it has said."""

    process: Forked
    said: asyncio.StreamReader

    async def line(self) -> str:
        return (await self.said.readline()).decode().strip()


@asynccontextmanager
async def sending(folder: Path, url: str, first: int, last: int = 10**6) -> AsyncIterator[Sender]:
    """Run such a gateway, forked from what is loaded."""
    reading, writing = os.pipe()
    said = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(reading, "rb", 0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), pipe)
    with os.fdopen(writing, "wb") as out:
        arguments = [str(folder), url, NUMBER, str(first), str(last)]
        process = fork_gateway(TOP, {**os.environ}, arguments, out, SENDER)
    try:
        yield Sender(process, said)
    finally:
        process.kill()
        await process.wait()
        transport.close()


async def meet(gateway: RunningGateway, files: SpoolFiles) -> None:
    """Let people of all chats write first."""
    files.updates = 3
    await eventually(lambda: len(files.read("in")) == 3, awaited="three messages")


@pytest.mark.counts_messages
async def test_dying_workers_lose_nothing(gateway: RunningGateway, files: SpoolFiles) -> None:
    """Worker after worker is killed at any step: all arrives, in order, in Telegram once."""
    count = 60
    await gateway.add(NUMBER, MORTAL + "60")
    files.updates = 3
    await eventually(lambda: len({words[1] for words in files.read("in")}) == 3)

    for place in range(count):
        files.updates = 3 + place
        chat = f"{NUMBER}_{1 + random.randrange(3)}"
        await gateway.gateway.messages.accept(NUMBER, to(chat, f"{place:03}"))
    await eventually(lambda: len(files.read("out")) >= count, awaited="all sent")
    await eventually(
        lambda: {words[0] for words in files.read("status")} == {f"{i:03}" for i in range(count)},
        awaited="all told",
    )
    # A worker that died may have left what came in to the next one, which has to hear it first.
    await eventually(lambda: came_in(files) == set(range(1, 3 + count)), awaited="all taken")
    await gateway.until_true(
        NUMBER, lambda view: view.backlog.into + view.backlog.out == 0, "empty"
    )

    assert (await gateway.gateway.show(NUMBER)).restarts > 0
    assert_all_is_well(files, sent=count, came=2 + count)


@pytest.mark.counts_messages
async def test_dying_gateways_lose_nothing(tmp_path: Path, database_url: str) -> None:
    """Gateway after gateway is killed: what was accepted is sent once, what came in is kept."""
    files = SpoolFiles(tmp_path / "spool" / NUMBER)
    files.updates = 3
    accepted = 0
    for _ in range(3):
        files.updates += 5
        async with sending(tmp_path, database_url, accepted) as program:
            for _ in range(random.randrange(3, 12)):
                accepted = int(await program.line()) + 1
            program.process.kill()

    async with sending(tmp_path, database_url, accepted, accepted + 1) as program:
        assert await program.line() == str(accepted)
        assert await program.line() == "done"

    # A gateway that is killed may have accepted more than it had time to say.
    told = {words[0] for words in files.read("status")}
    assert len(told) >= accepted + 1
    assert told == {f"{i:03}" for i in range(len(told))}
    assert_all_is_well(files, sent=len(told), came=files.updates)


async def test_first_message_finds_its_recipient(
    gateway: RunningGateway, files: SpoolFiles
) -> None:
    """Whom a first message goes to is found through the worker; from then on the chat is known."""
    await gateway.add(NUMBER)

    draft = OutgoingMessage("a", "Hello", phone="380501112233")
    first = await gateway.gateway.messages.accept(NUMBER, draft)
    again = await gateway.gateway.messages.accept(NUMBER, draft)
    second = await gateway.gateway.messages.accept(NUMBER, to(first.chat_id, "b"))

    assert (first.chat_id, first.contact_id) == (f"{NUMBER}_77", "77")
    assert (again.chat_id, again.is_repeat, second.is_repeat) == (first.chat_id, True, False)
    await eventually(lambda: [words[2] for words in files.read("out")] == ["a", "b"])


UNFIT = {
    "a phone that is none": (OutgoingMessage("a", "Hello", phone="1"), RecipientUnknown),
    "no recipient": (OutgoingMessage("a", "Hello"), RecipientUnknown),
    "an unknown chat": (to(f"{NUMBER}_424242", "a"), RecipientUnknown),
    "a chat of another number": (to("79990000000_1", "a"), RecipientUnknown),
    "too long a text": (to(f"{NUMBER}_1", "a", "x" * 600_000), MessageTooLarge),
    "no content": (to(f"{NUMBER}_1", "a", " "), MessageEmpty),
}


async def test_unfit_message_is_not_kept(gateway: RunningGateway, files: SpoolFiles) -> None:
    """Without a recipient, without content or beyond all size a message is refused."""
    await gateway.add(NUMBER)
    await meet(gateway, files)
    accepted, kept = {}, {}

    for what, (draft, error) in UNFIT.items():
        with suppress(error):
            accepted[what] = await gateway.gateway.messages.accept(NUMBER, draft)
        kept[what] = (await gateway.gateway.show(NUMBER)).backlog.out

    assert accepted == {}
    assert kept == dict.fromkeys(UNFIT, 0)


async def test_number_offline(gateway: RunningGateway, files: SpoolFiles) -> None:
    """A stopped number takes messages for known chats, can find nobody new, answers repeats."""
    await gateway.add(NUMBER)
    await meet(gateway, files)
    new = OutgoingMessage("new", "Hello", phone="380501112233")
    await gateway.gateway.messages.accept(NUMBER, new)
    await gateway.gateway.stop(NUMBER)

    accepted = await gateway.gateway.messages.accept(NUMBER, to(f"{NUMBER}_1", "a"))
    assert accepted.chat_id == f"{NUMBER}_1"
    assert (await gateway.gateway.messages.accept(NUMBER, new)).is_repeat
    with pytest.raises(WorkerUnavailable):
        await gateway.gateway.messages.accept(
            NUMBER, OutgoingMessage("c", "Hello", username="durov")
        )
    with pytest.raises(NumberUnknown):
        await gateway.gateway.messages.accept("380500000009", to(KNOWN, "a"))

    await gateway.gateway.restart(NUMBER)
    await eventually(lambda: "a" in [words[2] for words in files.read("out")])


@pytest.mark.counts_messages
async def test_state_moves_only_after_the_rows(gateway: RunningGateway, files: SpoolFiles) -> None:
    """However often the worker dies, no message is behind the stored state without a row."""
    await gateway.add(NUMBER)
    store = gateway.gateway._store
    for place in range(1, 40):
        files.updates = place * 3
        await asyncio.sleep(random.random() * 0.02)
        view = await gateway.gateway.show(NUMBER)
        if place % 5 == 0 and view.worker:
            with suppress(ProcessLookupError):
                os.kill(view.worker.pid, signal.SIGKILL)
        session = await store.sessions.load(NUMBER)
        reached = session.updates.pts if session and session.updates else 0
        entries = await gateway.gateway.messages.list(NUMBER, Selection(limit=1000))
        kept = {int(entry.text.split()[1]) for entry in entries if entry.text}
        assert set(range(1, reached + 1)) <= kept

    await eventually(lambda: len({words[1] for words in files.read("in")}) == 39 * 3)


async def test_token_opens_its_number_alone(gateway: RunningGateway) -> None:
    """A token is known until its number gets another one or is erased."""
    await gateway.add(NUMBER)
    await gateway.gateway.stop(NUMBER)
    old = (await gateway.gateway.create(new_number(NUMBER))).token
    assert await gateway.gateway.tokens.number_of(old) == NUMBER
    assert await gateway.gateway.tokens.number_of(old) == NUMBER
    await gateway.gateway.stop(NUMBER)

    new = (await gateway.gateway.create(new_number(NUMBER))).token

    assert await gateway.gateway.tokens.number_of(old) is None
    assert await gateway.gateway.tokens.number_of(new) == NUMBER
    await gateway.gateway.stop(NUMBER, purge=True)
    assert await gateway.gateway.tokens.number_of(new) is None


async def test_only_dead_letters_are_replayed(gateway: RunningGateway, files: SpoolFiles) -> None:
    """What is not dead, or not there, can't be sent again."""
    await gateway.add(NUMBER)
    await meet(gateway, files)
    [entry, *_] = await gateway.gateway.messages.list(NUMBER, Selection())

    with pytest.raises(MessageNotDead):
        await gateway.gateway.messages.replay(NUMBER, entry.id)
    with pytest.raises(MessageUnknown):
        await gateway.gateway.messages.replay(NUMBER, 10**9)

    assert await gateway.gateway.messages.replay_all(NUMBER) == 0
    assert await gateway.gateway.messages.receipts(NUMBER) == ()


async def test_purged_number_begins_anew(gateway: RunningGateway, files: SpoolFiles) -> None:
    """The same number made again has nothing of the old one, works with keys of its own."""
    await gateway.add(NUMBER)
    await meet(gateway, files)
    await gateway.gateway.stop(NUMBER, purge=True)

    await gateway.add(NUMBER)
    assert await gateway.gateway.messages.list(NUMBER, Selection()) == ()
    await meet(gateway, files)

    entries = await gateway.gateway.messages.list(NUMBER, Selection())
    assert [entry.text for entry in entries] == ["message 3", "message 2", "message 1"]
    attached = OutgoingMessage(
        "a", "", (AttachmentDraft("a.jpg", "https://x/a"),), KNOWN[:-1] + "1"
    )
    await gateway.gateway.messages.accept(NUMBER, attached)
    [newest, *_] = await gateway.gateway.messages.list(NUMBER, Selection())
    assert newest.files == ("a.jpg",)


async def test_links_without_files_lead_nowhere(gateway: RunningGateway) -> None:
    """A link to what is not kept is told apart from one that is not ours."""
    await gateway.add(NUMBER)
    links = gateway.gateway._keepers.dispatchers.links

    for place in (MessageFile(NUMBER, 1, 0), MessageFile("380500000009", 1, 0)):
        token = links.of_file(place, "a", 2e9).split("/")[-2]
        with pytest.raises(FileGone):
            await gateway.gateway.files.find(token)
    with pytest.raises(LinkInvalid):
        await gateway.gateway.files.find("nonsense")
