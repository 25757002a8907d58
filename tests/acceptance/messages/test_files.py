"""Files both ways, byte for byte."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.messages.conversation import attached
from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE = make_png()
DOCUMENT = secrets.token_bytes(300_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_contact_sends_a_file(conversation: Conversation) -> None:
    """It reaches Planfix as an attachment, unchanged, under its name."""
    name = "договір 1.pdf"
    await conversation.contact_writes("the contract", files=[(name, "application/pdf", DOCUMENT)])

    (message,) = await _in_planfix(conversation, 1)

    (file,) = message["attachments"]
    assert message["text"] == "the contract"
    assert (file["name"], file["size"], file["sha256"]) == (name, len(DOCUMENT), sha256(DOCUMENT))


async def test_contact_sends_an_album(conversation: Conversation) -> None:
    """Several pictures at once are one message with several attachments."""
    pictures = [(f"{count}.png", "image/png", PICTURE) for count in range(3)]
    await conversation.contact_writes("look", files=pictures)
    await conversation.contact_writes("nice?")

    album, question = await _in_planfix(conversation, 2)

    assert (album["text"], question["text"]) == ("look", "nice?")
    assert [file["sha256"] for file in album["attachments"]] == [sha256(PICTURE)] * 3


async def test_employee_sends_files(conversation: Conversation) -> None:
    """They reach the contact unchanged, pictures as an album; the text is not lost."""
    await conversation.contact_writes("hello")
    await _in_planfix(conversation, 1)
    files = [attached("a.png", PICTURE), attached("b.png", PICTURE), attached("c.pdf", DOCUMENT)]

    sent = await conversation.employee_tells("as promised", files=files)

    await conversation.until_told(sent, "sent")
    messages = await conversation.in_telegram()
    found = [message["file"]["sha256"] for message in messages if message["file"]]
    groups = {message["grouped_id"] for message in messages if message["file"]}
    assert found == [sha256(PICTURE), sha256(PICTURE), sha256(DOCUMENT)]
    assert [message["text"] for message in messages if message["text"]] == ["as promised"]
    assert len(groups - {None}) == 1


async def test_employee_sends_a_file_without_words(conversation: Conversation) -> None:
    """A file alone is a message too."""
    await conversation.contact_writes("hello")
    await _in_planfix(conversation, 1)

    sent = await conversation.employee_tells(files=[attached("c.pdf", DOCUMENT)])

    await conversation.until_told(sent, "sent")
    (message,) = await conversation.in_telegram()
    assert (message["text"], message["file"]["name"]) == ("", "c.pdf")


async def test_file_that_is_gone_is_an_error(conversation: Conversation) -> None:
    """The text arrives all the same; the employee reads that the file did not."""
    await conversation.contact_writes("hello")
    await _in_planfix(conversation, 1)
    gone = f"{conversation.programs.sandbox_url}/planfix/{conversation.account}/filelink/none/a.pdf"
    form = {
        "cmd": "newMessage",
        "providerId": "telegram",
        "channel": conversation.number,
        "token": conversation.token,
        "chatId": conversation.chat_id,
        "message": "see the file",
        "messageId": "77",
        "attachments[name]": "a.pdf",
        "attachments[url]": gone,
    }

    answer = await conversation.programs.http.post(
        f"{conversation.programs.server.url}/webhook/message", data=form
    )

    assert answer.status_code == 200
    await conversation.until_told("77", "error")
    await conversation.until_in_telegram("see the file")


async def test_links_are_signed_whole_safe(conversation: Conversation) -> None:
    """A link serves ranges as a download of a harmless kind; a changed one serves nothing."""
    page = b"<script>alert(1)</script>"
    await conversation.contact_writes(files=[("page.html", "text/html", page)])
    await _in_planfix(conversation, 1)
    (call,) = await conversation.calls("newMessage")
    link = call["attachments[url]"]

    async with caller() as http:
        whole = await http.get(link)
        piece = await http.get(link, headers={"Range": "bytes=1-6"})
        token = link.split("/")[-2]
        changed = await http.get(link.replace(token, token.swapcase()))

    assert (whole.status_code, whole.content) == (200, page)
    assert (piece.status_code, piece.content) == (206, b"script")
    assert changed.status_code == 404
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"


async def test_tampered_links_serve_nothing(programs: Programs, conversation: Conversation) -> None:
    """Neither a changed character, a part, nor one link's signature on another's place is a link."""
    other = await programs.open()
    for count, one in enumerate((conversation, conversation, other), start=1):
        await one.contact_writes(files=[(f"{count}.txt", "text/plain", b"content")])
    calls = [*await _calls(conversation, 2), *await _calls(other, 1)]
    links = [call["attachments[url]"] for call in calls]
    mine, next_to_it, of_others = (link.split("/")[-2] for link in links)
    signed, _, signature = mine.rpartition(".")
    changed = [
        f"{mine[:place]}{'1' if char != '1' else '2'}{mine[place + 1 :]}"
        for place, char in enumerate(mine)
    ]
    swapped = [
        f"{each.rpartition('.')[0]}.{signature}" for each in (next_to_it, of_others)
    ]  # another row, another number, each under a good signature of something else
    parts = [signed, signature, mine[:-1], mine[1:], f"{mine}0", f"{mine}.", f"{signed}.", "."]
    places = [mine.upper(), signed + "." + signature.upper(), mine.replace(".", "%00.", 1)]

    statuses = {
        token: (await programs.http.get(links[0].replace(mine, token))).status_code
        for token in (*changed, *swapped, *parts, *places)
    }

    assert {token for token, status in statuses.items() if status != 404} <= {mine}
    assert [(await programs.http.get(link)).status_code for link in links] == [200, 200, 200]
    await programs.close(other)


async def _calls(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    await _in_planfix(conversation, count)
    return await conversation.calls("newMessage")


async def _in_planfix(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    async def messages() -> list[dict[str, Any]]:
        found = await conversation.in_planfix()
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = await eventually(messages, awaited=f"{count} messages in Planfix")
    assert len(found) == count
    return found
