"""Files of a message, fetched at once from their links."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.planfix.attachment import Limits, fetch
from sandbox.planfix.command import Link
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.acceptance.sandbox.planfix.conftest import Client
    from tests.acceptance.sandbox.planfix.gateway import Gateway


def files(**links: str) -> dict[str, list[str]]:
    return {"attachments[name]": list(links), "attachments[url]": list(links.values())}


def described(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


async def test_files_are_fetched_in_order(planfix: Client, gateway: Gateway) -> None:
    """Repeated keys are several files, each there with size, digest when the call is answered."""
    answer = await planfix.call(**files(first=gateway.link("a.txt"), second=gateway.link("b.txt")))

    assert answer.status_code == 200
    assert (await planfix.get("messages"))[0]["attachments"] == [
        described("first", b"content of a.txt"),
        described("second", b"content of b.txt"),
    ]
    assert gateway.asked == ["a.txt", "b.txt"]


async def test_redirect_is_followed(planfix: Client, gateway: Gateway) -> None:
    """A link that moved is followed to the file."""
    await planfix.call(**files(a=gateway.link("moved")))

    shown = (await planfix.get("messages"))[0]["attachments"]

    assert shown == [described("a", b"content of a.txt")]


async def test_unreachable_file_is_told(planfix: Client, gateway: Gateway) -> None:
    """A link without a file leaves an entry with the reason; the rest of the message is there."""
    links = {
        "gone": gateway.link("gone"),
        "nobody": "http://127.0.0.1:1/x",
        "strange": "file:///etc/passwd",
        "broken": "http://[",
        "good": gateway.link("a.txt"),
    }

    answer = await planfix.call(**files(**links))

    *failed, good = (await planfix.get("messages"))[0]["attachments"]
    assert answer.status_code == 200
    assert [(file["name"], file["size"], file["sha256"]) for file in failed] == [
        (name, None, None) for name in ("gone", "nobody", "strange", "broken")
    ]
    assert "404" in failed[0]["error"]
    assert all(file["error"] for file in failed)
    assert good == described("good", b"content of a.txt")


async def test_slow_file_holds_nobody_else_up(planfix: Client, gateway: Gateway) -> None:
    """While the file of one message is fetched, other calls are answered."""
    waiting = asyncio.create_task(planfix.call(message="late", **files(a=gateway.link("late"))))
    await eventually(lambda: "late" in gateway.asked)

    other = await planfix.call(chatId="other", message="meanwhile")
    assert other.status_code == 200
    assert not waiting.done()
    gateway.may_serve.set()
    await waiting

    texts = [message["text"] for message in await planfix.get("messages")]
    assert texts == ["meanwhile", "late"]


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("a.txt", Limits(size=15), "larger than 15 bytes"),
        ("late", Limits(seconds=0.05), "not there after 0.05 seconds"),
    ],
)
async def test_limits_end_a_fetch(gateway: Gateway, name: str, limits: Limits, reason: str) -> None:
    """A file that is too large, or too slow to come, counts as not fetched."""
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        fetched = await fetch(http, Link(name="a", url=gateway.link(name)), limits)

    file = fetched.attachment
    assert fetched.content is None
    assert (file.size, file.sha256) == (None, None)
    assert reason in (file.error or "")
