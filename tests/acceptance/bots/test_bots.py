"""Registering a bot, and the people who register with it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.bots.conftest import CLIENT, make_bot
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.bots.conftest import Bot, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_person_registers(bot: Bot) -> None:
    """A person starts the bot, chooses a language, shares the phone; all of it is kept."""
    await bot.write("/start shop-7")
    welcome, question = await bot.said(2)

    chosen = await bot.press(welcome, 0, 2)
    asked_again = (await bot.said(3))[-1]
    await bot.stage.control(
        "POST", "/telegram/share_contact", by=bot.person, chat_with=bot.username
    )
    thanks = (await bot.said(4))[-1]

    assert [button["text"] for button in welcome["buttons"][0]] == [
        "English",
        "Русский",
        "Українська",
    ]
    assert question["buttons"] == [[{"text": "Share my phone number", "request_phone": True}]]
    assert chosen["answer"] == "Обрано українську мову."
    assert asked_again["text"].startswith("Поділіться")
    assert thanks["text"].startswith("Дякуємо")
    (person,) = await bot.people()
    named = {"phone": bot.person, "name": "Andriy", "language": "uk", "alias": "shop-7"}
    assert person | named | {"muted": False} == person


async def test_stopped_and_blocked_people_are_muted(bot: Bot) -> None:
    """/stop mutes, /start brings back; so do a block and its end."""
    await bot.write("/start")
    await bot.wait_for_person(muted=False)
    await bot.write("/stop")
    await bot.wait_for_person(muted=True)
    await bot.write("/start")
    await bot.wait_for_person(muted=False)

    block = {"by": bot.person, "who": bot.username}
    await bot.stage.control("POST", "/telegram/block", **block, blocked=True)
    await bot.wait_for_person(muted=True)
    await bot.stage.control("POST", "/telegram/block", **block, blocked=False)
    await bot.wait_for_person(muted=False)


async def test_bot_is_listed_apart_from_numbers(bot: Bot) -> None:
    """A bot is shown to the operator and to its key, and is none of the numbers."""
    ask = bot.stage.ask
    shown = (await ask("GET", f"/bots/{bot.id}", bot.key)).json()
    listed = (await ask("GET", "/bots")).json()["bots"]
    numbers = (await ask("GET", "/numbers")).json()["numbers"]

    assert (shown["username"], shown["status"], shown["client"]) == (bot.username, "online", CLIENT)
    assert bot.id in {each["bot"] for each in listed}
    assert bot.id not in {each["number"] for each in numbers}
    assert (await ask("GET", f"/bots/{bot.id}", "wrong-key")).status_code == 401
    assert (await ask("GET", "/bots", bot.key)).status_code == 401
    assert (await ask("GET", "/bots/1234567")).status_code == 404


async def test_refused_tokens_leave_nothing(bot: Bot) -> None:
    """What is no token is refused at once, what Telegram refuses leaves no bot, one that runs is told."""
    ask = bot.stage.ask
    malformed = await ask("POST", "/bots", name=CLIENT, token="no token")
    unknown = await ask("POST", "/bots", name=CLIENT, token="7654321:AAwrong")
    again = await ask("POST", "/bots", name=CLIENT, token=bot.token)

    assert (malformed.status_code, malformed.json()["error"]) == (400, "invalid_token")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "login_refused")
    assert (again.status_code, again.json()["error"]) == (409, "number_exists")
    assert (await ask("GET", "/bots/7654321")).status_code == 404


async def test_bot_is_stopped_and_registered_again(bot: Bot) -> None:
    """DELETE stops the bot; POST starts it again, with a new key, and the people it knows."""
    ask = bot.stage.ask
    await bot.write("/start")
    await bot.wait_for_person(name="Andriy")

    stopped = await ask("DELETE", f"/bots/{bot.id}", bot.key)
    again = await ask("POST", "/bots?wait=60", name=CLIENT, token=bot.token)
    old = await ask("GET", f"/bots/{bot.id}", bot.key)
    bot.key = again.json()["key"]

    assert stopped.json() == {"status": "offline", "was_running": True}
    assert (again.status_code, again.json()["state"]) == (201, "online")
    assert old.status_code == 401
    assert len(await bot.people()) == 1


async def test_restart_renews_a_lost_login(bot: Bot) -> None:
    """A bot whose login Telegram has ended is logged in again with its token, and hears on."""
    ask = bot.stage.ask

    async def shown() -> dict[str, Any]:
        found: dict[str, Any] = (await ask("GET", f"/bots/{bot.id}", bot.key)).json()
        return found

    await bot.stage.control("POST", "/telegram/faults", kind="revoke", phone=bot.username)

    async def is_out() -> bool:
        return str((await shown())["state"]) == "needs_login"

    await eventually(is_out)
    action = (await shown())["last_error"]["action"]
    restarted = await ask("POST", f"/bots/{bot.id}/restart?wait=60", bot.key)
    await bot.write("/start")

    assert restarted.json() == {"status": "online", "state": "online"}
    await bot.wait_for_person(name="Andriy")
    assert action.startswith("Operator: restart the bot")


async def test_killed_bot_misses_nothing_and_says_nothing_twice(bot: Bot) -> None:
    """After kill -9 the next worker hears what was written meanwhile, and each answer comes once."""
    shown = (await bot.stage.ask("GET", f"/bots/{bot.id}", bot.key)).json()

    os.kill(shown["worker"]["pid"], signal.SIGKILL)
    for text in ("/start ops", "/stop", "/start"):
        await bot.write(text)
    await bot.wait_for_person(alias="ops", muted=False)
    said = [message["text"] for message in await bot.said(5)]

    restarted = (await bot.stage.ask("GET", f"/bots/{bot.id}", bot.key)).json()
    assert restarted["worker"]["pid"] != shown["worker"]["pid"]
    assert [text.split(".")[0] for text in said] == [
        "Hello! I send you notifications",
        "Please share your phone number with the button below, so that we know who you are",
        "I keep quiet now",
        "Hello! I send you notifications",
        "Please share your phone number with the button below, so that we know who you are",
    ]


async def test_own_bot_starts_with_the_gateway(stage: Stage) -> None:
    """The bot of TELEGRAM_BOT_TOKEN runs without anybody's call."""

    async def online() -> list[dict[str, Any]]:
        bots = (await stage.ask("GET", "/bots")).json()["bots"]
        return [b for b in bots if (b["username"], b["state"]) == ("gateway_bot", "online")]

    assert len(await eventually(online)) == 1


async def test_what_people_write_becomes_tasks(stage: Stage, sandbox: dict[str, str]) -> None:
    """With Planfix values a bot is a channel: both ways, with statuses and the phone that was shared."""
    account = "/planfix/vesna"
    bot = await make_bot(
        stage,
        url_planfix=f"{sandbox['SANDBOX_URL']}{account}/webchat/api",
        token_planfix="planfix-token",
    )
    webhook = f"{str(stage.gateway.base_url).rstrip('/')}/webhook/message"
    planfix = {"planfix_token": "planfix-token", "provider_id": "telegram"}
    await stage.control("PUT", account, **planfix, webhook_url=webhook, token=bot.key)
    await bot.write("/start")
    await bot.said(2)
    await stage.control("POST", "/telegram/share_contact", by=bot.person, chat_with=bot.username)
    await bot.wait_for_person(phone=bot.person)
    await bot.write("Where is my order?")

    async def heard() -> list[dict[str, Any]]:
        messages = await stage.control("GET", f"{account}/messages")
        return [m for m in messages if m["text"] == "Where is my order?"]

    (message,) = await eventually(heard)
    calls = await stage.control("GET", f"{account}/calls")
    answered = await stage.control(
        "POST", f"{account}/reply", chat_id=message["chat_id"], text="On its way"
    )
    assert answered["status"] == 200, answered
    *_, answer = await bot.said(4)

    async def sent() -> list[Any]:
        statuses = await stage.control("GET", f"{account}/statuses")
        return [s for s in statuses if s["status"] == "sent"]

    (status,) = await eventually(sent)
    texts = {m["text"] for m in await stage.control("GET", f"{account}/messages")}
    asked = next(c["fields"] for c in calls if c["fields"].get("message") == ["Where is my order?"])
    assert message["chat_id"].startswith(f"{bot.id}_")
    assert asked["contactPhone"] == [bot.person]
    assert asked["channel"] == [bot.id]
    assert answer["text"] == "On its way"
    assert status["message_id"] == answered["message_id"]
    assert "/start" not in texts
