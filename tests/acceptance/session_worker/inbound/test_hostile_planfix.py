"""A server at `url_planfix` that answers to harm whoever asks."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from session_worker.planfix.answer import (
    PlanfixAnswerLost,
    PlanfixForbidden,
    PlanfixRejected,
    PlanfixUnavailable,
)
from session_worker.planfix.client import LONGEST_ANSWER, PlanfixClient, PlanfixMessage
from session_worker.protocol.contract import PlanfixAccount
from session_worker.protocol.messages import Contact
from tests.fakes.file_server import Answer, FileServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

UNPACKED = 48 << 20  # bytes
MOST = 8 << 20  # bytes that an answer may cost
BOMB = gzip.compress(gzip.compress(bytes(UNPACKED)))
GOOD = gzip.compress(b'{"data":{"number":5}}')
LINE = PlanfixMessage(Contact(peer_id=7, first_name="A"), "hello")
ADDRESS = "webchat/api"

UNSEEN = {
    "a bomb": Answer(BOMB, headers=("Content-Encoding: gzip, gzip",)),
    "a small bomb": Answer(gzip.compress(bytes(UNPACKED)), headers=("Content-Encoding: gzip",)),
    "packed in a way nobody knows": Answer(b"{}", headers=("Content-Encoding: x-own",)),
    "packed, then damaged": Answer(GOOD[:-3], headers=("Content-Encoding: gzip",)),
    "not packed at all": Answer(b"{}", headers=("Content-Encoding: gzip",)),
    "too much": Answer(b" " * (LONGEST_ANSWER + 1)),
}
SENSELESS = {
    "a bomb with a refusal": Answer(BOMB, 400, headers=("Content-Encoding: gzip, gzip",)),
    "deep lists": Answer(b"[" * (LONGEST_ANSWER // 2) + b"]" * (LONGEST_ANSWER // 2)),
    "deep objects": Answer(b'{"a":' * 9000),
    "deep data": Answer(json.dumps({"data": "[" * 9000}).encode()),
    "a deep complaint": Answer(b'{"error":' + b"[" * 960 + b"]" * 960 + b"}"),
    "a deep refusal": Answer(b"[" * 9000, 400),
    "no finite number": Answer(b'{"data":{"number":1e999}}'),
    "no number": Answer(b'{"data":{"number":NaN}}'),
    "infinity in a text": Answer(b'{"data":"{\\"number\\":-Infinity}"}'),
}
HOSTILE = UNSEEN | SENSELESS


@pytest.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer() as server:
        yield server


@pytest.fixture
async def planfix(server: FileServer) -> AsyncIterator[PlanfixClient]:
    url = f"{server.url}/{ADDRESS}"
    account = PlanfixAccount(url=url, token="key", provider_id="telegram", may_be_private=True)
    made = PlanfixClient(account, "380501112233")
    yield made
    await made.close()


@pytest.mark.parametrize("name", HOSTILE)
async def test_answer_that_can_not_be_read_costs_little(
    server: FileServer, planfix: PlanfixClient, name: str
) -> None:
    """The question is asked again; nothing was unpacked, nor held, beyond the limit."""
    server.offer(ADDRESS, HOSTILE[name])
    tracemalloc.start()
    try:
        with pytest.raises(PlanfixUnavailable):
            await planfix.get_task(7)
        with suppress(PlanfixAnswerLost):
            await planfix.new_message(LINE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MOST
    assert "accept-encoding: identity" in server.heads[-1].lower()


@pytest.mark.parametrize("name", SENSELESS)
async def test_answer_that_makes_no_sense_is_a_lost_answer(
    server: FileServer, planfix: PlanfixClient, name: str
) -> None:
    """Nobody knows what became of the message, so another try follows."""
    server.offer(ADDRESS, SENSELESS[name])

    with pytest.raises(PlanfixAnswerLost):
        await planfix.new_message(LINE)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZip", "deflate"])
async def test_compressed_answer_is_read(
    server: FileServer, planfix: PlanfixClient, encoding: str
) -> None:
    """A proxy that compresses although nobody asked for it changes nothing."""
    pack = zlib.compress if encoding == "deflate" else gzip.compress
    headers = (f"Content-Encoding: {encoding}",)
    refusal = Answer(pack(b'{"error":"Invalid parameters"}'), 400, headers)
    server.offer(ADDRESS, Answer(pack(b'{"data":{"number":5}}'), 200, headers), refusal)

    assert await planfix.get_task(7) == 5
    with pytest.raises(PlanfixRejected, match="Invalid parameters"):
        await planfix.new_message(LINE)


async def test_port_that_does_not_exist_is_not_called() -> None:
    """Such an address was refused when it was given; one from elsewhere makes no dead letter."""
    url = "http://127.0.0.1:99999/webchat/api"
    account = PlanfixAccount(url=url, token="key", provider_id="telegram", may_be_private=True)
    planfix = PlanfixClient(account, "380501112233")

    with pytest.raises(PlanfixForbidden):
        await planfix.new_message(LINE)
    await planfix.close()


async def test_nothing_of_an_answer_is_remembered(
    server: FileServer, planfix: PlanfixClient
) -> None:
    """A cookie is neither kept, which would fill the memory, nor sent back."""
    server.offer(ADDRESS, Answer(b"{}", headers=("Set-Cookie: a=b; Path=/",)))

    for _ in range(2):
        assert await planfix.get_task(7) is None

    assert "cookie" not in server.heads[-1].lower()


TAKEN = {"compressed": Answer(GOOD, headers=("Content-Encoding: gzip",))} | UNSEEN


@pytest.mark.parametrize("name", TAKEN)
async def test_message_that_was_taken_is_not_posted_twice(
    inbound: InboundNumber, name: str
) -> None:
    """The status says that Planfix has the message, whatever the rest of the answer looks like."""
    await inbound.kill()
    async with FileServer() as server:
        server.offer(ADDRESS, Answer(b'{"data":{"number":5}}'), TAKEN[name])
        inbound.planfix_url = f"{server.url}/{ADDRESS}"
        await inbound.start_again()
        inbound.write("hello")

        await eventually(lambda: inbound.recorder.delivered)
        assert server.requests == [f"/{ADDRESS}"] * 2

    assert inbound.recorder.failures == []


@pytest.mark.parametrize("name", ["a bomb", "deep lists", "no finite number"])
async def test_message_outlives_the_attack(inbound: InboundNumber, name: str) -> None:
    """No dead letter: the message is delivered once the server answers as it should."""
    await inbound.kill()
    async with FileServer() as server:
        hostile = HOSTILE[name]
        server.offer(ADDRESS, hostile, hostile, Answer(b'{"data":{"number":5}}'))
        inbound.planfix_url = f"{server.url}/{ADDRESS}"
        await inbound.start_again()
        inbound.write("hello")

        await eventually(lambda: inbound.recorder.delivered)

    assert set(inbound.recorder.failures) <= {"planfix_unavailable", "planfix_answer_lost"}
    assert inbound.recorder.failures
