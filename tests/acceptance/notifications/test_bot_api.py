"""Programs made for the Bot API, unmodified, send through the gateway."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
import requests
import telegram
from apprise.common import NotifyFormat
from apprise.plugins.telegram import NotifyTelegram
from telegram.request import HTTPXRequest

from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.support.callers import caller
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    import aiogram

    from tests.acceptance.bots.conftest import Bot

pytestmark = pytest.mark.asyncio(loop_scope="session")


def base(bot: Bot) -> str:
    return str(bot.stage.gateway.base_url).rstrip("/")


def aiogram_client(url: str, token: str) -> aiogram.Bot:
    """Import aiogram late: it takes seconds, and every process of a test run reads this module."""
    import aiogram
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    session = AiohttpSession(api=TelegramAPIServer.from_base(url), timeout=PATIENCE)
    return aiogram.Bot(token, session=session)


async def user_id(bot: Bot) -> int:
    return int((await bot.people())[0]["user_id"])


async def raw(bot: Bot, method: str, **fields: Any) -> tuple[int, Any]:
    response = await bot.stage.gateway.post(f"/bot{bot.token}/{method}", json=fields)
    return response.status_code, response.json()


async def test_aiogram_sends_edits_and_deletes(bot: Bot) -> None:
    """aiogram sends with marks and buttons, edits what it sent, sends files, deletes."""
    from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, Message

    buttons = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Take", callback_data="take:1")]]
    )
    async with aiogram_client(base(bot), bot.token) as client:
        me = await client.get_me()
        person = await user_id(bot)
        sent = await client.send_message(
            person, "*bold* and `code`", parse_mode="MarkdownV2", reply_markup=buttons
        )
        edited = await client.edit_message_text(
            "changed", chat_id=person, message_id=sent.message_id
        )
        photo = await client.send_photo(person, BufferedInputFile(make_png(), "a.png"), caption="c")
        notes = await client.send_document(person, BufferedInputFile(b"bytes", "notes.txt"))
        told = (await bot.said(5))[2:]
        await client.delete_message(person, photo.message_id)

    assert (me.username, me.is_bot, me.id) == (bot.username, True, int(bot.id))
    assert isinstance(edited, Message)
    assert (photo.caption, photo.text, bool(photo.photo)) == ("c", None, True)
    assert notes.document
    assert (notes.document.file_name, notes.document.mime_type) == ("notes.txt", "text/plain")
    assert notes.chat.first_name == (await bot.people())[0]["name"]
    assert (sent.text, edited.text) == ("bold and code", "changed")
    assert {entity.type for entity in sent.entities or ()} == {"bold", "code"}
    assert sent.reply_markup
    assert sent.reply_markup.inline_keyboard[0][0].callback_data == "take:1"
    assert edited.reply_markup is None
    assert [(m["text"], m["file"] and m["file"]["mime"]) for m in told] == [
        ("changed", None), ("c", "image/png"), ("", "text/plain")
    ]  # fmt: skip
    assert told[0]["id"] is not None
    assert len(await bot.said(4)) == 4


async def test_aiogram_knows_the_errors(bot: Bot) -> None:
    """Errors come in the Bot API's words, so that a library tells them apart."""
    from aiogram.exceptions import (
        TelegramBadRequest,
        TelegramForbiddenError,
        TelegramUnauthorizedError,
    )

    async with aiogram_client(base(bot), bot.token) as client:
        with pytest.raises(TelegramBadRequest, match="can't parse entities"):
            await client.send_message(await user_id(bot), "<b>x", parse_mode="HTML")
        with pytest.raises(TelegramBadRequest, match="message text is empty"):
            await client.send_message(await user_id(bot), " ")
        sent = await client.send_message(await user_id(bot), "same")
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_text("same")
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await client.edit_message_text("x", chat_id=await user_id(bot), message_id=1)
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await client.send_message("@nobody_here_at_all", "x")
        block = {"by": bot.person, "who": bot.username}
        await bot.stage.control("POST", "/telegram/block", **block, blocked=True)
        with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
            await client.send_message(await user_id(bot), "x")
    async with aiogram_client(base(bot), "7654321:AAnobodys") as client:
        with pytest.raises(TelegramUnauthorizedError):
            await client.get_me()


async def test_message_is_deleted_in_its_own_chat(bot: Bot) -> None:
    """Telegram deletes by the id alone; the Bot API knows the chat, and says when nothing was deleted."""
    person = await user_id(bot)
    _, sent = await raw(bot, "sendMessage", chat_id=person, text="keep me")
    message = {"message_id": sent["result"]["message_id"]}

    answers = [await raw(bot, "deleteMessage", chat_id=5, **message)]
    told = (await bot.said(3))[-1]["text"]
    answers += [await raw(bot, "deleteMessage", chat_id=person, **message) for _ in range(2)]

    assert told == "keep me"
    assert [code for code, _ in answers] == [400, 200, 400]
    for _, body in (answers[0], answers[2]):
        assert body["description"] == "Bad Request: message to delete not found"


async def test_python_telegram_bot_sends(bot: Bot) -> None:
    """python-telegram-bot sends text, a silent reply and a file, and asks who it is."""
    patient = HTTPXRequest(
        read_timeout=PATIENCE, write_timeout=PATIENCE, connect_timeout=PATIENCE, pool_timeout=PATIENCE,
        media_write_timeout=PATIENCE,
    )  # fmt: skip
    address = f"{base(bot)}/bot"
    async with telegram.Bot(bot.token, base_url=address, request=patient) as client:
        person = await user_id(bot)
        first = await client.send_message(person, "<i>x</i>", parse_mode="HTML")
        await client.send_message(
            person, "y", reply_to_message_id=first.message_id, disable_notification=True
        )
        await client.send_document(person, b"content", filename="a.txt", caption="see")

        assert client.username == bot.username
    told = (await bot.said(5))[2:]
    assert [message["text"] for message in told] == ["x", "y", "see"]
    assert told[1]["reply_to"]


async def test_apprise_notifies(bot: Bot) -> None:
    """Apprise sends a title and a body, told only another address."""
    target = NotifyTelegram(  # type: ignore[no-untyped-call] # it has no types
        bot.token, [str(await user_id(bot))], detect_owner=False, format=NotifyFormat.HTML
    )
    target.notify_url = f"{base(bot)}/bot"
    target.socket_connect_timeout = target.socket_read_timeout = PATIENCE

    is_sent = await asyncio.to_thread(target.notify, body="The disk is <b>full</b>", title="Server")

    assert is_sent
    assert "The disk is full" in (await bot.said(3))[-1]["text"]


async def test_plain_http_in_every_form(bot: Bot) -> None:
    """GET and POST, query, JSON, form and multipart say the same."""
    person, url = await user_id(bot), f"{base(bot)}/bot{bot.token}/sendMessage"

    def call_with_requests() -> list[int]:
        answers = (
            requests.get(url, params={"chat_id": str(person), "text": "query"}, timeout=PATIENCE),
            requests.post(url, data={"chat_id": person, "text": "form"}, timeout=PATIENCE),
            requests.post(url, json={"chat_id": person, "text": "json\r\nline"}, timeout=PATIENCE),
        )
        return [answer.status_code for answer in answers]

    codes = await asyncio.to_thread(call_with_requests)
    async with caller() as client:
        form = {"chat_id": str(person), "text": "parts", "reply_markup": json.dumps({})}
        answer = await client.post(url.replace("sendMessage", "SENDMESSAGE"), files=_as_parts(form))

    assert codes == [200, 200, 200]
    assert answer.json()["result"]["text"] == "parts"
    told = [message["text"] for message in (await bot.said(6))[2:]]
    assert told == ["query", "form", "json\nline", "parts"]


async def test_large_files_are_sent(bot: Bot, folder: Path) -> None:
    """A document of several MiB arrives as it is; what the Bot API takes no more is refused in its words."""
    url, person = f"/bot{bot.token}/", await user_id(bot)
    uploads = folder / "data" / "spool" / bot.id / "uploads"
    content = random.Random(7).randbytes(6 << 20)
    form = {"chat_id": str(person), "caption": "large"}

    async def post(method: str, kind: str, content: bytes, **fields: str) -> tuple[int, Any]:
        files = {kind: ("a.bin", content)}
        answer = await bot.stage.gateway.post(url + method, data=form | fields, files=files)
        return answer.status_code, answer.json()

    sent, _ = await post("sendDocument", "document", content)
    photo = await post("sendPhoto", "photo", bytes((10 << 20) + 1))
    document = await post("sendDocument", "document", bytes((51 << 20) + 1))
    nobody = await post("sendDocument", "document", content, chat_id="x y")
    told = (await bot.said(3))[-1]
    query = f"/telegram/file?of={bot.person}&id={told['id']}"
    arrived = await bot.stage.sandbox.get(query)

    assert (sent, told["text"], arrived.content == content) == (200, "large", True)
    assert photo == (400, {
        "ok": False, "error_code": 400,
        "description": "Bad Request: file of size 10485761 bytes is too big for a photo; "
        "the maximum size is 10485760 bytes",
    })  # fmt: skip
    assert document == (413, {
        "ok": False, "error_code": 413, "description": "Request Entity Too Large"
    })  # fmt: skip
    assert nobody[0] == 400
    assert [file.stat().st_size for file in uploads.iterdir()] == [len(content)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"--edge\r\n\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="document"; filename="a"\r\n\r\ncut',
        b"x" * (3 << 20),
    ],
)
async def test_broken_uploads_are_refused(bot: Bot, body: bytes) -> None:
    """A form that cannot be read is refused in the Bot API's words, and keeps nothing."""
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    url = f"/bot{bot.token}/sendDocument"
    answer = await bot.stage.gateway.post(url, content=body, headers=headers)

    assert answer.status_code in {400, 413}
    assert answer.json()["ok"] is False
    assert len(await bot.said(2)) == 2


@pytest.mark.parametrize(
    ("method", "fields", "status", "words"),
    [
        ("getUpdates", {}, 404, "method not found"),
        ("sendMessage", {"text": "x"}, 400, "chat_id is empty"),
        ("sendMessage", {"chat_id": "x y", "text": "x"}, 400, "chat not found"),
        ("sendMessage", {"chat_id": 5, "text": "x", "parse_mode": "BBCode"}, 400, "parse_mode"),
        ("sendMessage", {"chat_id": 5, "text": "x", "reply_markup": "{"}, 400, "reply_markup"),
        ("sendMessage", {"chat_id": 5, "text": "x", "reply_markup": {"inline_keyboard": [[1]]}},
         400, "reply markup"),
        ("sendMessage", {"chat_id": 5, "text": "x", "reply_markup": {"keyboard": [["a"]] * 9999}},
         400, "reply markup is too long"),
        ("sendMessage", {"chat_id": 5, "text": "x" * 4097}, 400, "message is too long"),
        ("editMessageText", {"chat_id": 5, "message_id": 1, "text": "x" * 4097},
         400, "message is too long"),
        ("sendPhoto", {"chat_id": 5, "caption": "x" * 1025}, 400, "caption is too long"),
        ("sendPhoto", {"chat_id": 5, "photo": "AgACAgIAAx"}, 400, "wrong file identifier"),
        ("sendDocument", {"chat_id": 5}, 400, "there is no document"),
        ("editMessageText", {"chat_id": 5, "text": "x"}, 400, "message identifier"),
        ("deleteMessage", {"chat_id": "@x1234", "message_id": 1}, 400, "message identifier"),
        ("deleteMessage", {"chat_id": "alias:\u00b2", "message_id": 1}, 400, "message identifier"),
        ("deleteMessage", {"chat_id": "+380501112233", "message_id": 1}, 400, "message identifier"),
    ],
)  # fmt: skip
async def test_wrong_calls_are_refused_as_telegram_does(
    bot: Bot, method: str, fields: dict[str, Any], status: int, words: str
) -> None:
    """A wrong call gets the Bot API's own body, never another one."""
    code, body = await raw(bot, method, **fields)

    assert (code, body["ok"], body["error_code"]) == (status, False, status)
    assert words in body["description"]


async def test_values_that_mean_nothing_are_refused(bot: Bot) -> None:
    """Whatever the parameters are, the answer is the Bot API's, and nothing is stored in vain."""
    person = await user_id(bot)
    mention = {"type": "text_mention", "offset": 0, "length": 1}
    emoji = {"type": "custom_emoji", "offset": 0, "length": 1, "custom_emoji_id": "x"}
    wrong: list[dict[str, Any]] = [
        {"entities": [mention | {"user": 5}]},
        {"entities": [mention | {"user": {"id": "abc"}}]},
        {"entities": [emoji]},
        {"entities": [{"type": "text_link", "offset": 0, "length": 1}]},
        {"reply_parameters": {"message_id": "x"}},
        {"reply_parameters": {"message_id": 2**31}},
        {"reply_parameters": [1]},
        {"link_preview_options": [1]},
        {"reply_markup": {"keyboard": "x"}},
        {"text": "\ud83d"},
        {"chat_id": -1009999999999},
        {"entities": [{"type": "bold", "offset": float("inf"), "length": 1}]},
    ]
    url, answers = f"/bot{bot.token}/sendMessage", []
    for fields in wrong:
        content = json.dumps({"chat_id": person, "text": "ab"} | fields)  # it escapes all
        answer = await bot.stage.gateway.post(
            url, content=content, headers={"Content-Type": "application/json"}
        )
        answers.append((answer.status_code, answer.json()))
    far = {"chat_id": person, "message_id": 2**40}
    answers.append(await raw(bot, "editMessageText", **far, text="x"))
    links = ("http://", "http://a b", "https://example.com/\r\nX: y")
    answers += [await raw(bot, "sendDocument", chat_id=person, document=link) for link in links]

    assert [(code, body["ok"]) for code, body in answers] == [(400, False)] * len(answers)
    assert answers[10][1]["description"] == "Bad Request: chat not found"
    assert "message to edit not found" in answers[12][1]["description"]


async def test_log_holds_no_token(bot: Bot, server: Any) -> None:
    """Whatever programs did with a bot's token, the log does not hold it."""
    await raw(bot, "sendMessage", chat_id=await user_id(bot), text="x")
    await bot.stage.gateway.get(f"/bot{bot.token}/nothing")

    written = await asyncio.to_thread(server.log.read_text)
    assert "supervisor" in written
    assert bot.token.partition(":")[2] not in written


def _as_parts(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    return {name: (None, value) for name, value in fields.items()}
