"""Alarms on their way to the operator's address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.acceptance.api.server import running_sandbox
from tests.acceptance.messages.programs import REAL, Programs
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.messages.conversation import Conversation

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
Json = dict[str, Any]
ON_CALL = "380999999999"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Programs]:
    """Run a gateway whose alarms go to the sandbox."""
    folder = tmp_path_factory.mktemp("alarms")
    async with running_sandbox(folder) as sandbox:
        url = f"{sandbox['SANDBOX_URL']}/alerts"
        bot = {"bot": True, "username": "alarm_bot", "first_name": "Alarms"}
        chat = await on_call(sandbox, bot)
        async with Programs(folder, sandbox, REAL, ALERT_URL=url, **chat) as made:
            yield made


async def on_call(sandbox: Json, bot: Json) -> dict[str, str]:
    """Make a bot, and somebody who has written to it; return the settings that name both."""
    async with caller(sandbox["SANDBOX_URL"]) as http:
        made = (await http.post("/telegram/accounts", json=bot)).json()
        person = {"phone": ON_CALL, "first_name": "Petro"}
        reader = (await http.post("/telegram/accounts", json=person)).json()
        hello = {"from": ON_CALL, "to": bot["username"], "text": "/start"}
        (await http.post("/telegram/messages", json=hello)).raise_for_status()
    return {
        "TELEGRAM_BOT_TOKEN": made["bot_token"],
        "TELEGRAM_CHAT_ID": str(reader["user_id"]),
    }


async def alarms(conversation: Conversation, kind: str) -> list[Json]:
    found = await conversation.programs.look("/alerts")
    number = conversation.number
    return [each for each in found if each["type"] == kind and number in each["numbers"]]


async def until_alarmed(conversation: Conversation, kind: str) -> Json:
    async def has_come() -> bool:
        return bool(await alarms(conversation, kind))

    await eventually(has_come, awaited=kind)
    return (await alarms(conversation, kind))[-1]


def is_signed(alarm: Json, secret: str) -> bool:
    """Check a signature by the words of Standard Webhooks, not by our own code."""
    headers = alarm["headers"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{alarm['raw']}"
    expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


async def test_lost_login_is_told_and_its_end_too(conversation: Conversation) -> None:
    """The operator hears that a number needs somebody, with cause and action, then that it is well again."""
    await conversation.telegram_fails(kind="revoke")

    told = await until_alarmed(conversation, "number.needs_somebody")
    made = await conversation.programs.control(
        "POST", "/telegram/sessions", phone=conversation.number
    )
    body = {"number": conversation.number, "string_session": made["string_session"]}
    await conversation.programs.gateway("PUT", "/webhook?wait=60", json=body)
    well = await until_alarmed(conversation, "number.well_again")

    assert (told["state"], told["cause"]) == ("needs_login", "session_revoked")
    assert (told["client"], told["numbers"]) == ("Romashka", [conversation.number])
    assert told["action"].startswith("Client:")
    assert well["state"] == "online"

    async def states() -> list[str]:
        return [each["state"] for each in await alarms(conversation, "number.state")]

    async def are_told() -> bool:  # two alarms of one moment come in any order
        told = await states()
        return "needs_login" in told and told[-1] == "online"

    await eventually(are_told, awaited="the alarms of both states")
    assert len(await alarms(conversation, "number.needs_somebody")) == 1


async def test_alarms_are_signed(conversation: Conversation) -> None:
    """Each alarm is signed as Standard Webhooks says, with the secret that the operator is shown."""
    alarm = await until_alarmed(conversation, "number.state")

    shown = (await conversation.programs.gateway("GET", "/alarms")).json()

    assert shown["secret"].startswith("whsec_")
    assert is_signed(alarm, shown["secret"])
    assert not is_signed({**alarm, "raw": alarm["raw"] + " "}, shown["secret"])
    assert alarm["headers"]["webhook-id"] == alarm["id"]
    assert json.loads(alarm["raw"])["id"] in [each["id"] for each in shown["alarms"]]


async def test_dead_letter_is_an_alarm(conversation: Conversation) -> None:
    """A message that is lost is told of, with the reason."""
    await conversation.planfix_fails("refuse")
    await conversation.contact_writes("refused")

    alarm = await until_alarmed(conversation, "message.dead")

    assert (alarm["cause"], alarm["client"]) == ("planfix_rejected", "Romashka")
    assert "1" in alarm["detail"]


@pytest.mark.counts_messages
async def test_alarms_and_notifications_survive_a_kill(
    programs: Programs, conversation: Conversation
) -> None:
    """What could not be delivered, to the address, a chat or people, is delivered by the next gateway, once."""
    crowd = await make_crowd(programs)
    bots = (await programs.gateway("GET", "/bots")).json()["bots"]
    [bot] = [each for each in bots if each["username"] == "alarm_bot"]
    await programs.gateway("DELETE", f"/bots/{bot['bot']}")
    await conversation.planfix_fails("refuse")
    await conversation.contact_writes("refused")
    await until_alarmed(conversation, "message.dead")
    await eventually(lambda: is_stored_for_chat(programs), awaited="an alarm for the chat")
    await programs.control("POST", "/alerts/faults", status=503)
    named = {"name": "Romashka", "number": conversation.number}
    await programs.gateway("DELETE", "/webhook", json=named)
    await eventually(lambda: is_waiting(conversation), awaited="an alarm that waits")
    [waiting] = [each for each in await stored(conversation) if each["state"] == "stopped"]

    accepted = [await crowd.notify(f"order {place}") for place in range(4)]
    await eventually(crowd.told, awaited="the first notification in Telegram")
    await programs.kill()
    await programs.control("DELETE", "/alerts/faults")
    await programs.start()

    await eventually(lambda: has_arrived(conversation, waiting["id"]), awaited="the alarm")
    assert waiting["error"] == "answered 503"
    await programs.gateway("POST", f"/bots/{bot['bot']}/restart")
    await eventually(lambda: told_in_chat(conversation), awaited="the alarm in the chat")
    await eventually(lambda: crowd.has_sent(accepted[-1]), awaited="the last notification")
    assert await crowd.told() == [f"order {place}" for place in range(4)]


@dataclass(frozen=True)
class Crowd:
    """A bot, and somebody whom it tells something."""

    programs: Programs
    name: str
    key: str
    phone: str
    person: int

    async def notify(self, text: str) -> str:
        answer = await self.programs.gateway(
            *("POST", "/notify", self.key), json={"to": [self.person], "text": text}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def told(self) -> list[str]:
        chat = {"of": self.phone, "with": self.name}
        messages = await self.programs.look("/telegram/messages", **chat)
        return [each["text"] for each in messages if each["text"].startswith("order")]

    async def has_sent(self, notification: str) -> bool:
        answer = await self.programs.gateway("GET", f"/notify/{notification}", self.key)
        [recipient] = answer.json()["recipients"]
        return bool(recipient["state"] == "sent")


async def make_crowd(programs: Programs) -> Crowd:
    name, phone = "crowd_bot", "380999999998"
    bot = await programs.control("POST", "/telegram/accounts", bot=True, username=name)
    person = await programs.control("POST", "/telegram/accounts", phone=phone, first_name="Ivan")
    body = {"name": "Romashka", "token": bot["bot_token"]}
    made = (await programs.gateway("POST", "/bots?wait=60", json=body)).json()
    hello = {"from": phone, "to": name, "text": "hello"}
    await programs.control("POST", "/telegram/messages", **hello)
    return Crowd(programs, name, made["key"], phone, person["user_id"])


def is_stored_for_chat(programs: Programs) -> bool:
    """Look into the database, because no call shows what waits for a bot."""
    with closing(sqlite3.connect(programs.folder / "data" / "telefix.db")) as database:
        query = "SELECT count(*) FROM notification_recipient WHERE state = 'queued'"
        return bool(database.execute(query).fetchone()[0])


async def stored(conversation: Conversation) -> list[Json]:
    shown = (await conversation.programs.gateway("GET", "/alarms")).json()["alarms"]
    return [each for each in shown if conversation.number in each["numbers"]]


async def is_waiting(conversation: Conversation) -> bool:
    return any(
        each["delivery"] == "pending" and each["state"] == "stopped" and each["attempts"]
        for each in await stored(conversation)
    )


async def has_arrived(conversation: Conversation, alarm_id: str) -> bool:
    return alarm_id in [each["id"] for each in await alarms(conversation, "number.state")]


async def test_somebody_on_call_is_told_in_a_chat(conversation: Conversation) -> None:
    """The gateway's own bot writes what a person must know, with the number, and not every change."""
    await conversation.planfix_fails("refuse")
    await conversation.contact_writes("refused")

    told = await eventually(lambda: told_in_chat(conversation), awaited="the alarm in the chat")

    assert [text.splitlines()[:2] for text in told] == [[f"+{conversation.number}", "Romashka"]]


async def told_in_chat(conversation: Conversation) -> list[str]:
    chat = {"of": ON_CALL, "with": "alarm_bot"}
    messages = await conversation.programs.look("/telegram/messages", **chat)
    return [each["text"] for each in messages if conversation.number in each["text"]]
