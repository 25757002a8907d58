"""Planfix tells people in Telegram: what a script sends becomes a message, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from httpx import Response

    from tests.acceptance.bots.conftest import Bot

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/webhook/planfix-event"


def fields(bot: Bot, **others: Any) -> dict[str, Any]:
    return {
        "token": bot.key,
        "event": "comment.added",
        "task": "86190",
        "title": "Fix <the> roof & doors",
        "author": "Olena",
        "text": "<p>When is it <b>ready</b>?</p>",
        "status": "In work",
        "link": "https://acme.planfix.com/task/86190",
        "telegramUserName": "alias:ops",
        **others,
    }


async def test_script_with_a_form_tells_people(bot: Bot) -> None:
    """A form with HTML in every field becomes a message with the texts as they are, and a button."""
    response = await bot.stage.gateway.post(PATH, data=fields(bot, comment="1"))

    message = (await bot.said(3))[-1]
    assert (response.status_code, response.json()["accepted"]) == (200, 1)
    assert message["text"] == (
        "New comment #86190\nFix  roof & doors\nFrom: Olena\nStatus: In work\nWhen is it ready?"
    )
    assert message["buttons"] == [[{"text": "Open", "url": "https://acme.planfix.com/task/86190"}]]


async def test_script_with_broken_json_tells_people(bot: Bot) -> None:
    """Lists in quotes, variables that nobody knows and a missing brace do not matter."""
    body = (
        f'{{"token":"{bot.key}","event":"task.assigned","task":5,"title":"The "new" roof",'
        f'"author":"{{{{Задача.Постановщик}}}}","telegramUserName":"["alias:ops"]"'
    )

    response = await bot.stage.gateway.post(
        PATH, content=body.encode(), headers={"Content-Type": "text/plain"}
    )

    assert (response.status_code, response.json()["accepted"]) == (200, 1)
    text = (await bot.said(3))[-1]["text"]
    assert text == 'A task was assigned to you #5\nThe "new" roof'


async def test_repeated_call_is_one_message(bot: Bot) -> None:
    """Planfix repeats what it takes for a failure; people are told once, and get the same answer."""
    answers = [
        (await bot.stage.gateway.post(PATH, data=fields(bot, comment="2", text=text))).json()
        for text in ("a", "a", "changed")
    ]
    await bot.stage.gateway.post(PATH, data=fields(bot, comment="3", text="next"))

    told = (await bot.said(4))[2:]
    assert len({answer["id"] for answer in answers}) == 1
    assert [message["text"].splitlines()[-1] for message in told] == ["a", "next"]


async def test_wrong_key_is_the_only_refusal(bot: Bot) -> None:
    """Without the bot's key nothing is told; with it nothing that Planfix sends is a failure."""
    post = bot.stage.gateway.post
    refused: list[Response] = [
        await post(PATH, data=fields(bot, token=token)) for token in ("", "wrong", bot.token)
    ]
    taken = [
        await post(PATH, content=content, headers={"Token": bot.key})
        for content in (b"", b"{", b"\xff\xfe", b"a=b", b'{"task":{}}', b"x" * 10_000)
    ]
    by_basic = await post(PATH, data=fields(bot, token="", comment="9"), auth=("planfix", bot.key))

    assert [each.status_code for each in refused] == [401, 401, 401]
    assert [each.status_code for each in taken] == [200] * 6
    assert by_basic.json()["accepted"] == 1


async def test_template_of_the_bot_is_used(bot: Bot) -> None:
    """A bot's own template for an event is used in place of ours."""
    await bot.stage.ask(
        "PUT", "/templates/due.soon", bot.key, text="<i>{{ due }}</i>: {{ title }}", format="html"
    )

    await bot.stage.gateway.post(
        PATH, data=fields(bot, event="due.soon", due="2026-12-31 10:00", title="Roof")
    )

    assert (await bot.said(3))[-1]["text"] == "2026-12-31 10:00: Roof"
