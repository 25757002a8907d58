"""Each fault of an account, as a client on a real socket feels it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.acceptance.sandbox.planfix.conftest import HELLO, Client
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.sandbox.planfix.gateway import Gateway


async def texts(planfix: Client) -> list[str]:
    return [message["text"] for message in await planfix.get("messages")]


async def test_down_carries_nothing_out(planfix: Client) -> None:
    """While Planfix is down each call's connection dies without an answer, nothing is done."""
    await planfix.break_with("down")

    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            await planfix.call()

    assert await texts(planfix) == []
    assert [call["status"] for call in await planfix.get("calls")] == [None, None]


async def test_cut_is_a_reset(planfix: Client) -> None:
    """The connection is cut by a TCP reset, not closed in good order."""
    await planfix.break_with("down")
    address = urlsplit(str(planfix.http.base_url))
    body = urlencode(HELLO).encode()
    head = (
        "POST /planfix/demo/webchat/api HTTP/1.1\r\nHost: planfix\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()

    with socket.create_connection((address.hostname, address.port)) as raw:
        raw.setblocking(False)
        await loop.sock_sendall(raw, head.encode() + body)

        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(raw, 1)


async def test_lost_answer_is_carried_out(planfix: Client) -> None:
    """A call whose answer is lost is carried out once; the connection dies before the answer."""
    await planfix.break_with("lost_answer", times=1)

    with pytest.raises(httpx.TransportError):
        await planfix.call(message="first")
    answer = await planfix.call(message="second")

    assert answer.status_code == 200
    assert await texts(planfix) == ["first", "second"]
    assert [call["status"] for call in await planfix.get("calls")] == [None, 200]


async def test_slow_acts_after_the_wait(planfix: Client) -> None:
    """A slow call is carried out after its wait, answered as ever."""
    await planfix.break_with("slow", seconds=0.2, times=1)
    loop = asyncio.get_running_loop()
    start = loop.time()

    answer = await planfix.call()

    assert answer.status_code == 200
    assert loop.time() - start >= 0.2
    assert await texts(planfix) == ["Hello"]


async def test_slow_call_is_carried_out_for_a_client_who_left(
    planfix: Client, gateway: Gateway
) -> None:
    """A client that gives up waiting does not undo the call, as with the real Planfix."""
    await planfix.break_with("slow", seconds=0.1, times=1)
    file = {"attachments[name]": "a", "attachments[url]": gateway.link("late")}
    call = asyncio.create_task(planfix.call(**file))
    await eventually(lambda: planfix.get("calls"), awaited="the call")

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await texts(planfix) == []
    gateway.may_serve.set()

    await eventually(lambda: texts(planfix))


@pytest.mark.parametrize(("fields", "status"), [({}, 500), ({"status": 503}, 503)])
async def test_error_answers_that_status(
    planfix: Client, fields: dict[str, int], status: int
) -> None:
    """An erring Planfix answers 500, or the status asked for, with a page instead of JSON."""
    await planfix.break_with("error", **fields)

    answer = await planfix.call()

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Retry-After" not in answer.headers
    assert await texts(planfix) == []


async def test_error_may_say_when_to_come_back(planfix: Client) -> None:
    """A 429 can carry a Retry-After."""
    await planfix.break_with("error", status=429, retry_after=7)

    answer = await planfix.call()

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [("refuse", 400, "Invalid parameters"), ("unauthorized", 401, "Invalid token")],
)
async def test_refusals_are_planfix_s_own(
    planfix: Client, mode: str, status: int, words: str
) -> None:
    """Refusing modes answer in Planfix's documented words, carry nothing out."""
    await planfix.break_with(mode)

    answer = await planfix.call()

    assert (answer.status_code, answer.json()) == (status, {"error": words})
    assert await texts(planfix) == []


async def test_times_counts_calls(planfix: Client) -> None:
    """A fault with `times` hits that many calls, then gives way to the next in line."""
    await planfix.break_with("error", status=502, times=2)
    await planfix.break_with("refuse", times=1)

    statuses = [(await planfix.call()).status_code for _ in range(4)]

    assert statuses == [502, 502, 400, 200]


async def test_fault_may_concern_one_command(planfix: Client) -> None:
    """A fault with `cmd` leaves the other commands alone."""
    await planfix.call()
    await planfix.break_with("error", cmd="newMessage")

    message, task = await planfix.call(), await planfix.ask("getTask", chatId=HELLO["chatId"])

    assert (message.status_code, task.status_code) == (500, 200)


async def test_delete_ends_faults(planfix: Client) -> None:
    """A DELETE makes the account whole again."""
    await planfix.break_with("down")
    await planfix.break_with("refuse", times=9)

    await planfix.http.delete("faults")

    assert (await planfix.call()).status_code == 200


async def test_control_works_under_a_fault(planfix: Client) -> None:
    """A fault hits the chat API alone, never the control of it."""
    await planfix.break_with("down")
    with suppress(httpx.TransportError):
        await planfix.call()

    assert len(await planfix.get("calls")) == 1


@pytest.mark.parametrize(
    "fault",
    [{}, {"mode": "tired"}, {"mode": "down", "times": 0}, {"mode": "error", "status": 200}],
    ids=str,
)
async def test_invalid_fault_is_refused(planfix: Client, fault: dict[str, object]) -> None:
    """A fault that makes no sense is answered 400 with the field at fault."""
    answer = await planfix.http.post("faults", json=fault)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["detail"][0]["field"]
