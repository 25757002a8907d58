"""Times in which one of the three, Telegram, Planfix or the gateway, is away."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.messages.conversation import CLIENT, attached
from tests.acceptance.messages.programs import CRASHING
from tests.support.databases import execute
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module"),
]


@pytest.fixture(scope="module")
def app() -> str:
    return CRASHING


async def test_planfix_is_down_for_a_while(conversation: Conversation) -> None:
    """What is written meanwhile waits, then arrives in order, once each."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.planfix_fails("down")
    texts = [f"{count}" for count in range(30)]
    for text in texts:
        await conversation.contact_writes(text)
    await eventually(lambda: _backlog(conversation, "in", 30))

    await conversation.planfix_recovers()

    await conversation.until_settled()
    assert await conversation.texts_in_planfix() == ["before", *texts]


@pytest.mark.counts_messages
async def test_gateway_is_killed_while_planfix_is_down(
    programs: Programs, conversation: Conversation
) -> None:
    """The backlog outlives the process: nothing lost, nothing twice, nothing out of order."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.planfix_fails("error", status=503)
    for count in range(10):
        await conversation.contact_writes(f"{count}")
    await eventually(lambda: _backlog(conversation, "in", 10))

    await programs.kill()
    for count in range(10, 20):
        await conversation.contact_writes(f"{count}")
    await conversation.planfix_recovers()
    await programs.start()

    texts = [f"{count}" for count in range(20)]
    await conversation.until_in_planfix("before", *texts)
    await conversation.until_settled()
    assert await conversation.texts_in_planfix() == ["before", *texts]
    assert await conversation.texts_in_telegram() == []


async def test_answers_wait_while_the_number_is_offline(conversation: Conversation) -> None:
    """Planfix is answered at once; Telegram gets it when the line is back."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.telegram_fails(kind="cut", seconds=1.5)

    texts = [f"{count}" for count in range(10)]
    ids = [await conversation.employee_tells(text) for text in texts]

    await conversation.until_in_telegram(*texts)
    for message_id in ids:
        await conversation.until_told(message_id, "sent")


@pytest.mark.counts_messages
async def test_stopped_number_catches_up(programs: Programs, conversation: Conversation) -> None:
    """What was written while the number was stopped is delivered; a receipt says how much."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.until_settled()
    await programs.kill()
    texts = [f"{count}" for count in range(7)]
    for text in texts:
        await conversation.contact_writes(text)

    await programs.start()

    await conversation.until_in_planfix("before", *texts)
    receipt, *others = await eventually(conversation.receipts)
    assert (receipt["found"], receipt["missing"], others) == (7, 0, [])
    await eventually(lambda: _delivered(conversation, 7))


@pytest.mark.counts_messages
async def test_long_absence_is_made_up_from_history(
    programs: Programs, conversation: Conversation
) -> None:
    """Where Telegram no longer knows the difference the dialogs are read instead."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.until_settled()
    await programs.kill()
    texts = [f"{count}" for count in range(12)]
    for text in texts:
        await conversation.contact_writes(text)
    await conversation.telegram_fails(kind="too_long")

    await programs.start()

    await conversation.until_in_planfix("before", *texts)
    await _until_receipts_say(conversation, 12)


async def test_receipt_counts_only_what_others_wrote(
    programs: Programs, conversation: Conversation
) -> None:
    """What employees wrote while the number was stopped is no part of what was missed."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.until_settled()
    named = {"name": CLIENT, "number": conversation.number}
    (await programs.gateway("DELETE", "/webhook", json=named)).raise_for_status()
    await conversation.contact_writes("missed")
    await conversation.owner_writes("from the phone")
    for text in ("one", "two"):
        await conversation.employee_tells(text)

    (await programs.gateway("PUT", "/webhook", json=named)).raise_for_status()

    await conversation.until_in_telegram("from the phone", "one", "two")
    await conversation.until_in_planfix("before", "missed", "from the phone")
    await _until_receipts_say(conversation, 2)


async def test_receipt_of_a_cut_leaves_out_what_was_sent(
    programs: Programs, conversation: Conversation
) -> None:
    """A message sent while the line comes back is not counted as one that was missed."""
    await conversation.contact_writes("before")
    await conversation.until_in_planfix("before")
    await conversation.until_settled()
    await conversation.telegram_fails(kind="cut", seconds=3600)

    await conversation.contact_writes("missed")
    sent = await conversation.employee_tells("answer")
    await programs.control("DELETE", "/telegram/faults")

    await conversation.until_told(sent, "sent")
    await conversation.until_in_planfix("before", "missed")
    await _until_receipts_say(conversation, 1)


async def test_dead_letter_is_sent_again(conversation: Conversation) -> None:
    """What Planfix refuses stays to be looked at; a replay really delivers it."""
    await conversation.planfix_fails("refuse", cmd="newMessage", times=2)
    await conversation.contact_writes("one")
    await conversation.contact_writes("two")
    await conversation.contact_writes("three")
    await conversation.until_in_planfix("three")
    await conversation.until_settled()
    dead = await conversation.journal(direction="in", state="dead")

    replayed = await conversation.replay(dead[-1]["id"])
    await conversation.until_in_planfix("three", "one")
    replayed_too = await conversation.replay()

    await conversation.until_in_planfix("three", "one", "two")
    assert [row["text"] for row in dead] == ["two", "one"]
    assert {row["error"]["code"] for row in dead} == {"planfix_rejected"}
    assert (replayed, replayed_too) == (1, 1)
    await conversation.until_settled()
    assert await conversation.journal(state="dead") == []


async def test_dead_answer_is_sent_again(conversation: Conversation) -> None:
    """An employee's message that Telegram refused can be sent again too; the status follows."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.telegram_fails(method="messages.sendMessage", error="PEER_FLOOD", times=1)
    refused = await conversation.employee_tells("are you there?")
    await conversation.until_told(refused, "error")
    (dead,) = await conversation.journal(direction="out", state="dead")

    await conversation.replay(dead["id"])

    await conversation.until_in_telegram("are you there?")
    await conversation.until_told(refused, "error", "sent")


async def test_replay_sends_only_what_failed(conversation: Conversation) -> None:
    """The text that went without its refused file is there once; a replay sends the file alone."""
    await conversation.contact_writes("hello")
    await conversation.until_in_planfix("hello")
    await conversation.telegram_fails(method="messages.sendMedia", error="MEDIA_EMPTY", times=1)
    files = [attached("a.pdf", b"a contract")]
    refused = await conversation.employee_tells("as promised", files=files)
    await conversation.until_told(refused, "error")
    await conversation.until_in_telegram("as promised")
    await conversation.telegram_fails(method="messages.sendMessage", error="PEER_FLOOD")

    assert await conversation.replay() == 1

    await conversation.until_told(refused, "error", "sent")
    await conversation.until_in_telegram("as promised", "")
    assert [bool(each["file"]) for each in await conversation.in_telegram()] == [False, True]
    assert await conversation.texts_in_planfix() == ["hello"]


async def test_wrong_key_is_shown_then_mended(
    programs: Programs, conversation: Conversation
) -> None:
    """A 401 of Planfix stops deliveries, says so; with the right key all arrives."""
    await conversation.planfix_fails("unauthorized")
    texts = [f"{count}" for count in range(5)]
    for text in texts:
        await conversation.contact_writes(text)
    await eventually(lambda: _error(conversation, "planfix_unauthorized"))
    calls = len(await conversation.calls("getTask")) + len(await conversation.calls("newMessage"))

    await conversation.planfix_recovers()
    body = {"number": conversation.number, "token_planfix": "planfix-token-of-romashka"}
    await programs.gateway("PUT", "/webhook", json=body)

    await conversation.until_in_planfix(*texts)
    assert calls <= 4
    await eventually(lambda: _error(conversation, None))


async def test_purge_erases_everything(programs: Programs, conversation: Conversation) -> None:
    """After a purge nothing of the number's messages is left, neither rows nor files."""
    await conversation.contact_writes("hello", files=[("a.txt", "text/plain", b"secret text")])
    await eventually(conversation.in_planfix)
    spool = programs.folder / "data" / "spool" / conversation.number
    files = [path for path in spool.rglob("*") if path.is_file()]
    assert [path for path in files if path.read_bytes() == b"secret text"]

    named = {"name": CLIENT, "number": conversation.number}
    purged = await programs.gateway("DELETE", "/webhook?purge=true", json=named)

    path = f"/numbers/{conversation.number}/messages"
    assert purged.status_code == 200
    assert (await programs.gateway("GET", path)).status_code == 404
    assert not spool.exists()
    assert await _rows_of(programs, conversation.number) == 0


async def _rows_of(programs: Programs, number: str) -> int:
    query = "SELECT count(*) FROM journal WHERE number = :number"
    [(found,)] = await execute(programs.database_url, query, number=number)
    return int(found)


async def _until_receipts_say(conversation: Conversation, count: int) -> None:
    async def is_said() -> bool:
        counts = [
            [receipt[name] for receipt in await conversation.receipts()]
            for name in ("found", "delivered", "missing")
        ]
        return list(map(sum, counts)) == [count, count, 0]

    await eventually(is_said, awaited=f"receipts of {count}")


async def _backlog(conversation: Conversation, way: str, count: int) -> bool:
    return bool((await conversation.shown())["backlog"][way] == count)


async def _delivered(conversation: Conversation, count: int) -> bool:
    return bool((await conversation.receipts())[0]["delivered"] == count)


async def _error(conversation: Conversation, code: str | None) -> bool:
    error = (await conversation.shown())["last_error"]
    return bool((error and error["code"]) == code)


async def test_file_of_a_data_centre_that_is_down_waits_with_its_reason(
    programs: Programs, conversation: Conversation
) -> None:
    """The journal shows how often a file was tried and why in vain; it arrives when it can."""
    content = secrets.token_bytes(300_000)
    await conversation.telegram_fails(kind="cut", dc=4, seconds=3600)
    files = [("a.bin", "application/zip", content)]

    await conversation.contact_writes("away", files=files, dc=4)
    row = await eventually(lambda: _tried_in_vain(conversation), awaited="two tries in vain")
    await programs.control("DELETE", "/telegram/faults")

    await conversation.until_in_planfix("away")
    (message,) = await conversation.in_planfix()
    (file,) = message["attachments"]
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert row["error"]["code"] == "telegram_file_unreachable"
    assert "data centre 4" in row["error"]["detail"]


async def _tried_in_vain(conversation: Conversation) -> Any:
    rows = await conversation.journal(direction="in", state="pending")
    return next((row for row in rows if row["attempts"] >= 2 and row["error"]), None)
