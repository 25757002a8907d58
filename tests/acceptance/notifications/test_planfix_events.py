"""Planfix tells people in Telegram: what a script sends becomes a message, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.bots.conftest import make_bot
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from httpx import Response

    from tests.acceptance.bots.conftest import Bot, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")
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


async def test_next_assignee_is_told_as_well(bot: Bot) -> None:
    """What differs only in its recipients, or in the event that a comment came with, is no repeat."""
    other = f"38067111{bot.person[-4:]}"
    person = {"phone": other, "first_name": "Taras", "username": f"taras{bot.id}"}
    await bot.stage.control("POST", "/telegram/accounts", **person)
    await bot.write("/start", other)
    await bot.wait_for_person(username=person["username"])
    chat = f"/telegram/messages?of={other}&with={bot.username}"
    assigned = fields(bot, event="task.assigned", telegramUserName="alias:ops")
    posts = [
        assigned,
        assigned | {"telegramUserName": f"@{person['username']}"},
        fields(bot, comment="5"),
        fields(bot, comment="5", event="status.changed"),
    ]

    answers = [(await bot.stage.gateway.post(PATH, data=each)).json() for each in posts]

    told = [message["text"].splitlines()[0] for message in (await bot.said(5))[2:]]
    assert [answer["accepted"] for answer in answers] == [1, 1, 1, 1]
    assert told == [
        "A task was assigned to you #86190", "New comment #86190", "The status has changed #86190"
    ]  # fmt: skip

    async def other_is_told() -> bool:
        found = await bot.stage.control("GET", chat)
        return "A task was assigned to you" in found[-1]["text"]

    await eventually(other_is_told)


async def test_every_encoding_is_read(bot: Bot) -> None:
    """The encoding that a call names or begins with is understood, and half of a sign breaks nothing."""
    end = f'"token":"{bot.key}","telegramUserName":"alias:ops"}}'
    form = f"token={bot.key}&telegramUserName=alias:ops&title="
    calls = [
        ("application/json", "utf-8", r'{"title":"\ud83d","author":"Олена",' + end),
        ("application/json", "utf-16", '{"title":"Привет",' + end),
        ("application/x-www-form-urlencoded", "windows-1251", form + "При%E2%E5%F2"),
        ("application/x-www-form-urlencoded", "utf-8", "\ufeff" + form + "Привет"),
    ]

    ids = []
    for kind, encoding, content in calls:
        headers = {"Content-Type": f"{kind}; charset={encoding}"}
        body = content.encode(encoding)
        response = await bot.stage.gateway.post(PATH, content=body, headers=headers)
        assert response.status_code == 200
        ids.append(response.json()["id"])

    told = (await bot.said(4))[2:]
    assert ids[1:] == [ids[1]] * 3  # the same words are the same event
    lines = [message["text"].splitlines()[1:] for message in told]
    assert lines == [["?", "From: Олена"], ["Привет"]]


async def test_wrong_key_is_the_only_refusal(bot: Bot) -> None:
    """Without the bot's key nothing is told; with it nothing that Planfix sends is a failure."""
    post = bot.stage.gateway.post
    refused: list[Response] = [
        await post(PATH, data=fields(bot, token=token)) for token in ("", "wrong", bot.token)
    ]
    taken = [
        await post(PATH, content=content, headers={"Token": bot.key})
        for content in (
            b"",
            b"{",
            b"\xff\xfe",
            b"a=b",
            b'{"task":{}}',
            b"x" * 10_000,
            b"a=1&" * 2000,
        )
    ]
    in_parts = {name: (None, value) for name, value in fields(bot, comment="8").items()}
    by_parts = await post(PATH, files=in_parts)
    long = await post(PATH, data=fields(bot, comment="7", text="long " * 20_000))
    by_basic = await post(PATH, data=fields(bot, token="", comment="9"), auth=("planfix", bot.key))

    assert [each.status_code for each in refused] == [401, 401, 401]
    assert [each.status_code for each in taken] == [200] * 7
    assert [each.json()["accepted"] for each in (by_basic, by_parts, long)] == [1, 1, 1]


async def test_answer_becomes_a_comment(stage: Stage) -> None:
    """A script tells of a comment; the person's answer becomes one, and is not told back."""
    bot = await make_bot_with_planfix(stage)
    task = await stage.control("POST", "/planfix/acme/tasks", title="Roof")
    path = f"/planfix/acme/tasks/{task['number']}"
    await stage.control("POST", f"{path}/comments", text="<p>When?</p>", author="Olena")
    told = (await bot.said(3))[-1]
    pressed = await bot.press(told, 0, 1)
    prompt = (await bot.said(4))[-1]
    answer = {"from": bot.person, "to": bot.username, "text": "On <Monday>\nat 9"}
    await stage.control("POST", "/telegram/messages", **answer, reply_to=prompt["id"])
    confirmed = (await bot.said(5))[-1]
    await stage.control("POST", f"{path}/comments", text="Thanks")
    last = (await bot.said(6))[-1]

    written = (await stage.control("GET", path))["comments"]
    calls = await stage.control("GET", "/planfix/acme/scripts/calls")
    assert "When?" in told["text"]
    assert [button["text"] for button in told["buttons"][0]] == ["Open", "Answer"]
    assert pressed["alert"] in {False, None}
    assert confirmed["text"] == f"Added to task #{task['number']}."
    assert [each["text"] for each in written] == [
        "<p>When?</p>", "Andriy: On &lt;Monday&gt;<br>at 9", "Thanks"
    ]  # fmt: skip
    assert last["text"].endswith("Thanks")
    assert {call["status"] for call in calls} == {200}


async def test_hidden_comment_is_not_told(stage: Stage) -> None:
    """With a key for the REST API hidden comments stay hidden, whatever the script sends."""
    bot = await make_bot_with_planfix(stage)
    task = await stage.control("POST", "/planfix/acme/tasks", title="Roof")
    path = f"/planfix/acme/tasks/{task['number']}/comments"
    await stage.control("POST", path, text="secret", hidden=True)
    await stage.control("POST", path, text="open")

    assert "open" in (await bot.said(3))[-1]["text"]
    assert "secret" not in str(await bot.chat())


async def test_ids_alone_are_enough(stage: Stage) -> None:
    """A script that sends only ids tells those whom Planfix has told, with texts asked from Planfix, if need be later."""
    bot = await make_bot_with_planfix(stage)
    await let_planfix_know(bot)
    await stage.control("PUT", "/planfix/acme/scripts", scripts=[])
    people = {"author": "Olena", "notify": ["user:5", "user:6"]}
    task = await stage.control(
        *("POST", "/planfix/acme/tasks"), title="Fix <the> roof", status="In work",
        assignees=["user:5"], assigner="user:6", due="31-12-2026 10:00", description="<p>Soon</p>",
    )  # fmt: skip
    path = f"/planfix/acme/tasks/{task['number']}/comments"
    comment = await stage.control("POST", path, text="<p>When is it <b>ready</b>?</p>", **people)
    before = len(await bot.said(3))
    ids = {"token": bot.key, "task": str(task["number"])}
    limit = {"mode": "error", "cmd": "rest", "status": 429, "retry_after": 2, "times": 1}
    await stage.control("POST", "/planfix/acme/faults", **limit)

    told = [
        await stage.gateway.post(PATH, data=ids | {"event": event} | more)
        for event, more in (("comment.added", {"comment": str(comment["id"])}), ("due.soon", {}))
    ]

    assert [each.status_code for each in told] == [200, 200]
    texts = [message["text"] for message in (await bot.said(before + 2))[before:]]
    number = task["number"]
    assert texts == [
        f"New comment #{number}\nFix  roof\nFrom: Olena\nStatus: In work\nWhen is it ready?",
        f"The task is due soon #{number}\nFix  roof\nStatus: In work\nDue: 31-12-2026 10:00",
    ]

    async def is_known_as_sent() -> bool:
        shown = await stage.ask("GET", f"/notify/{told[0].json()['id']}", bot.key)
        return [each["state"] for each in shown.json()["recipients"]] == ["sent"]

    await eventually(is_known_as_sent)


async def test_planfix_that_fails_is_not_waited_for(stage: Stage) -> None:
    """The answer comes though Planfix hangs; at its limit people are told without what may be hidden."""
    bot = await make_bot_with_planfix(stage)
    path = "/planfix/acme/faults"
    await stage.control("POST", path, mode="slow", cmd="rest", seconds=8, times=1)
    await stage.control(
        "POST", path, mode="error", cmd="rest", status=403, retry_after=900, times=1
    )
    answer = await stage.gateway.post(PATH, data=fields(bot, comment="7001", text="secret"))
    later = await stage.gateway.post(PATH, data=fields(bot, comment="7002", text="secret"))

    assert [each.json()["accepted"] for each in (answer, later)] == [1, 1]
    texts = [message["text"] for message in (await bot.said(4))[2:]]
    assert [text.splitlines()[0] for text in texts] == ["New comment #86190"] * 2
    assert "secret" not in str(texts)
    left = (await stage.control("GET", "/planfix"))[0]["faults"]
    assert left == []


async def test_answer_goes_by_an_incoming_webhook(stage: Stage) -> None:
    """Without a REST key answers become comments by an incoming webhook, and are not told back."""
    url = f"{str(stage.sandbox.base_url).rstrip('/')}/planfix/acme/webhook/json/c0de"
    bot = await make_bot_with_planfix(stage, planfix_webhook_url=url)
    await stage.control("PUT", "/planfix/acme/webhooks", webhooks=[{"code": "c0de"}])
    task = await stage.control("POST", "/planfix/acme/tasks", title="Roof")
    path = f"/planfix/acme/tasks/{task['number']}"
    await stage.control("POST", f"{path}/comments", text="When?")
    told = (await bot.said(3))[-1]
    await stage.control("POST", "/planfix/acme/faults", mode="error", cmd="webhook", times=1)
    await stage.gateway.post(PATH, data=fields(bot, link="", task="5", comment="9001"))
    (opens, _), *_ = (await bot.said(4))[-1]["buttons"]
    host = f"{stage.sandbox.base_url.host}:{stage.sandbox.base_url.port}"
    assert opens == {"text": "Open", "url": f"http://{host}/task/5?comment=9001"}
    answer = {"from": bot.person, "to": bot.username, "text": "On <Monday>"}
    await stage.control("POST", "/telegram/messages", **answer, reply_to=told["id"])

    assert (await bot.said(5))[-1]["text"] == f"Added to task #{task['number']}."
    written = (await stage.control("GET", path))["comments"]
    assert [(each["author"], each["text"]) for each in written] == [
        ("Olena", "When?"), ("Robot", "Andriy: On &lt;Monday&gt;")
    ]  # fmt: skip
    assert "c0de" not in (await stage.ask("GET", f"/bots/{bot.id}", bot.key)).text


async def let_planfix_know(bot: Bot) -> None:
    """Let the person share their phone, and give it to an employee of the account."""
    share = {"by": bot.person, "chat_with": bot.username}
    await bot.stage.control("POST", "/telegram/share_contact", **share)
    await bot.said(3)  # it says that the person is registered
    known = {"id": "user:5", "name": "Andriy", "telegram": "@other_name", "phones": [bot.person]}
    author = {"id": "user:6", "name": "Olena"}
    await bot.stage.control("PUT", "/planfix/acme/people", people=[known, author])


async def make_bot_with_planfix(stage: Stage, **way: str) -> Bot:
    """Make a bot whose account has a script for comments, with somebody who started it."""
    url = f"{stage.sandbox.base_url}/planfix/acme"
    await stage.control("PUT", "/planfix/acme", planfix_token="t", provider_id="telegram")
    rest = {"planfix_rest_url": f"{url}/rest", "planfix_rest_token": "rest-acme"}
    bot = await make_bot(stage, **way or rest)
    await bot.write("/start ops")
    await bot.said(2)
    script = {
        "on": "comment",
        "url": f"{stage.gateway.base_url}/webhook/planfix-event",
        "fields": {
            "token": bot.key,
            "event": "comment.added",
            "task": "{{Задача.Номер}}",
            "title": "{{Задача.Название}}",
            "comment": "{{Комментарий.Идентификатор}}",
            "text": "{{Комментарий.Текст}}",
            "author": "{{Комментарий.Автор}}",
            "link": "https://acme.planfix.com/task/{{Задача.Номер}}",
            "telegramUserName": "alias:ops",
        },
    }
    await stage.control("PUT", "/planfix/acme/scripts", scripts=[script])
    return bot


async def test_template_of_the_bot_is_used(bot: Bot) -> None:
    """A bot's own template for an event is used in place of ours."""
    await bot.stage.ask(
        "PUT", "/templates/due.soon", bot.key, text="<i>{{ due }}</i>: {{ title }}", format="html"
    )

    await bot.stage.gateway.post(
        PATH, data=fields(bot, event="due.soon", due="2026-12-31 10:00", title="Roof")
    )

    assert (await bot.said(3))[-1]["text"] == "2026-12-31 10:00: Roof"
