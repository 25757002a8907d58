"""Notifications from outside: programs tell people something, and learn what became of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.bots.conftest import make_bot
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.bots.conftest import Bot

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def notify(bot: Bot, wait: int = 0, **fields: Any) -> Any:
    response = await bot.stage.ask("POST", f"/notify?wait={wait}", bot.key, **fields)
    assert response.status_code == 202, response.text
    return response.json()


async def fate(bot: Bot, answer: Any) -> list[tuple[str, str, str | None]]:
    response = await bot.stage.ask("GET", f"/notify/{answer['id']}", bot.key)
    shown = response.json()["recipients"]
    return [(each["to"], each["state"], each["error"]) for each in shown]


async def test_people_are_told(bot: Bot) -> None:
    """A person is found by id, name, phone and alias, told once, with marks and buttons as given."""
    person = (await bot.people())[0]
    await bot.stage.control(
        "POST", "/telegram/share_contact", by=bot.person, chat_with=bot.username
    )
    await bot.wait_for_person(phone=bot.person)
    before = len(await bot.said(3))

    answer = await notify(
        bot,
        wait=600,  # counts as 60
        to=[
            person["user_id"],
            f"@{person['username']}",
            f"+{bot.person}",
            "alias:ops",
            "@nobody11",
        ],
        text="<b>Fire</b> &amp; smoke",
        format="html",
        title="Alarm",
        buttons=[[{"text": "Open", "url": "https://example.com/"}]],
        silent=True,
    )

    told = (await bot.said(before + 1))[before:]
    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "unknown_recipient")
    assert answer["recipients"][0]["state"] == "sent"
    assert [message["text"] for message in told] == ["Alarm\nFire & smoke"]
    assert told[0]["buttons"] == [[{"text": "Open", "url": "https://example.com/"}]]
    assert answer["recipients"][0]["message_id"]


async def test_form_repeats_its_recipients(bot: Bot) -> None:
    """A form names several recipients as forms do, one by one."""
    form = {"to": ["alias:ops", "@nobody12", "alias:none"], "text": "by form", "silent": "true"}
    headers = {"Authorization": f"Bearer {bot.key}"}

    answer = (await bot.stage.gateway.post("/notify", data=form, headers=headers)).json()

    rejected = [each["to"] for each in answer["rejected"]]
    assert (answer["accepted"], rejected) == (1, ["@nobody12", "alias:none"])
    assert (await bot.said(3))[-1]["text"] == "by form"


async def test_template_is_filled_in(bot: Bot) -> None:
    """A template of the bot's is filled with data, and what is missing is named."""
    body = {"text": "Ticket for <b>{{ title }}</b>", "format": "html"}
    stored = await bot.stage.ask("PUT", "/templates/sold", bot.key, **body)
    missing = await bot.stage.ask(
        "POST", "/notify", bot.key, to=["alias:ops"], template="sold", data={}
    )
    preview = await bot.stage.ask(
        "POST", "/notify/preview", bot.key, template="sold", data={"title": "A<B"}
    )

    await notify(bot, wait=50, to=["alias:ops"], template="sold", data={"title": "A<B"})

    assert stored.status_code == 200
    assert (missing.status_code, missing.json()["error"]) == (422, "field_missing")
    assert "title" in missing.json()["detail"]
    assert preview.json()["text"] == "Ticket for A<B"
    assert preview.json()["entities"][0]["type"] == "bold"
    assert (await bot.said(3))[-1]["text"] == "Ticket for A<B"


async def test_order_and_once(bot: Bot) -> None:
    """Messages arrive in the order in which they were accepted, and a repeat is the same message."""
    answers = [
        await notify(bot, to=["alias:ops"], text=f"number {n}", dedup_key=f"key {n // 2}")
        for n in range(6)
    ]

    told = await bot.said(5)
    assert [message["text"] for message in told[2:]] == ["number 0", "number 2", "number 4"]
    assert len({answer["id"] for answer in answers}) == 3


async def test_long_text_is_split(bot: Bot) -> None:
    """A text that is too long becomes several messages, and all of it arrives."""
    text = "word " * 1500

    await notify(bot, wait=50, to=["alias:ops"], text=text)

    told = [message["text"] for message in (await bot.said(4))[2:]]
    assert len(told) == 2
    assert " ".join(told).split() == text.split()


async def test_blocked_bot_is_muted(bot: Bot) -> None:
    """Who blocked the bot gets nothing more until they start it again."""
    block = {"by": bot.person, "who": bot.username}
    await bot.stage.control("POST", "/telegram/block", **block, blocked=True)
    await bot.wait_for_person(muted=True)

    person = (await bot.people())[0]["user_id"]
    answer = await notify(bot, to=[person], text="x")
    assert [each["code"] for each in answer["rejected"]] == ["muted"]

    await bot.stage.control("POST", "/telegram/block", **block, blocked=False)
    await bot.wait_for_person(muted=False)
    answer = await notify(bot, wait=50, to=[person], text="welcome back")
    assert await fate(bot, answer) == [(str(person), "sent", None)]


async def test_somebody_who_never_registered_is_muted_by_a_block(bot: Bot) -> None:
    """Who has only written to the bot is told nothing more while they block it, and is listed nowhere."""
    phone = f"38067222{bot.person[-4:]}"
    made = await bot.stage.control("POST", "/telegram/accounts", phone=phone, first_name="Ivan")
    person, block = made["user_id"], {"by": phone, "who": bot.username}
    await bot.write("hello", phone)
    await bot.stage.control("POST", "/telegram/block", **block, blocked=True)

    async def is_muted() -> bool:
        told = await notify(bot, to=[person], text="x", dry_run=True)
        return [each["code"] for each in told["rejected"]] == ["muted"]

    async def is_back() -> bool:
        return not await is_muted()

    await eventually(is_muted)
    assert person not in {each["user_id"] for each in await bot.people()}
    await bot.stage.control("POST", "/telegram/block", **block, blocked=False)
    await eventually(is_back)
    assert (await notify(bot, wait=50, to=[person], text="x"))["recipients"][0]["state"] == "sent"


async def test_unknown_chat_fails(bot: Bot) -> None:
    """A chat that the bot never met is accepted, and its fate says why nothing arrived."""
    answer = await notify(bot, wait=50, to=["chat:-1001234567899"], text="x")

    ((_, state, error),) = await fate(bot, answer)
    assert state == "failed"
    assert error


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to": [], "text": "x"}, 400),
        ({"to": ["alias:ops"]}, 400),
        ({"to": ["alias:ops"], "text": "x", "unknown": 1}, 400),
        ({"to": ["alias:ops"], "text": " "}, 422),
        ({"to": ["alias:ops"], "text": "<b>x", "format": "html"}, 422),
        ({"to": ["alias:ops"], "template": "nothing"}, 422),
        ({"to": ["alias:ops"], "text": "x", "buttons": [{"text": "a"}]}, 400),
        (
            {"to": ["alias:ops"], "text": "x", "buttons": [{"text": "a", "url": "javascript:1"}]},
            400,
        ),
        ({"to": ["alias:ops"], "text": "x", "attachments": [{"url": "file:///etc/passwd"}]}, 400),
    ],
)
async def test_bad_request_is_refused(bot: Bot, fields: dict[str, Any], status: int) -> None:
    """What cannot be sent is refused at once, and nothing of it is stored."""
    response = await bot.stage.ask("POST", "/notify", bot.key, **fields)

    assert response.status_code == status, response.text


async def test_what_could_never_be_sent_is_refused(bot: Bot) -> None:
    """Neither a truth value nor a schedule after the expiry is stored, and a preview wants words."""
    soon, later = "2199-01-01T00:00:00Z", "2199-01-02T00:00:00Z"
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/notify", {"to": [True], "text": "x"}),
        ("/notify", {"to": ["alias:ops"], "text": "x", "not_before": later, "expires_at": soon}),
        ("/notify", {"to": ["alias:ops"], "text": "x", "template": "due.soon"}),
        ("/notify", {"to": ["alias:ops"], "text": "x", "attachments": [{"url": "http://"}]}),
        ("/notify/preview", {"format": "html"}),
        ("/notify/preview", {"text": "x", "template": "due.soon"}),
    ]

    answers = [await bot.stage.ask("POST", path, bot.key, **fields) for path, fields in wrong]
    named = await bot.stage.ask("PUT", "/templates/%00", bot.key, text="x")
    unknown = await bot.stage.ask("GET", "/notify/%00", bot.key)

    assert [answer.status_code for answer in [*answers, named]] == [400] * 7
    assert unknown.status_code == 404


async def test_private_links_are_not_fetched(bot: Bot) -> None:
    """An attachment behind a private address is not fetched; the text still arrives, and says so."""
    answer = await notify(
        bot,
        wait=50,
        to=["alias:ops"],
        text="see",
        attachments=[{"url": f"{bot.stage.gateway.base_url}healthz", "name": "a.txt"}],
    )

    ((_, state, error),) = await fate(bot, answer)
    assert (state, error) == ("failed", "link_forbidden")
    shown = await bot.stage.ask("GET", f"/numbers/{bot.id}/messages?state=dead", bot.key)
    assert "number" not in shown.json()["messages"][0]["error"]["text"]


async def test_foreign_key_opens_nothing(bot: Bot) -> None:
    """Without a key, or with a wrong one, nothing can be sent or seen."""
    answer = await notify(bot, to=["alias:ops"], text="secret")

    for key in ("wrong", bot.token):
        refused = await bot.stage.ask("POST", "/notify", key, to=["alias:ops"], text="x")
        seen = await bot.stage.ask("GET", f"/notify/{answer['id']}", key)
        assert (refused.status_code, seen.status_code) == (401, 401)


async def test_key_of_another_bot_reaches_nobody(bot: Bot) -> None:
    """The key of another client's bot neither shows a notification nor tells this bot's people anything."""
    answer = await notify(bot, to=["alias:ops"], text="ours")
    before = len(await bot.said(3))
    other = await make_bot(bot.stage, name="Stranger")
    person = (await bot.people())[0]

    seen = await bot.stage.ask("GET", f"/notify/{answer['id']}", other.key)
    by_operator = await bot.stage.ask("GET", f"/notify/{answer['id']}", ADMIN_KEY)
    tried = await bot.stage.ask("POST", "/notify", other.key, to=["alias:ops"], text="theirs")
    event = {"token": other.key, "event": "task.created", "recipients": person["user_id"]}
    told = await bot.stage.ask("POST", "/webhook/planfix-event", other.key, **event, text="theirs")
    last = await notify(bot, wait=50, to=["alias:ops"], text="last")

    assert (seen.status_code, by_operator.status_code) == (404, 200)
    assert [each["code"] for each in tried.json()["rejected"]] == ["unknown_recipient"]
    assert told.json()["accepted"] == 0
    assert last["recipients"][0]["state"] == "sent"
    texts = [message["text"] for message in (await bot.said(before + 1))[before:]]
    assert texts == ["last"]


async def test_single_message_passes_a_bulk(bot: Bot) -> None:
    """A bulk waits for Telegram's limits; a single message beside it does not."""
    strangers = [f"{10**9 + n}" for n in range(1000)]  # enough for most of a minute
    bulk = await notify(bot, to=strangers, text="news")
    single = await notify(bot, wait=50, to=["alias:ops"], text="urgent")

    states = [state for _, state, _ in await fate(bot, bulk)]
    stopped = await bot.stage.ask("DELETE", f"/bots/{bot.id}", bot.key)
    assert bulk["accepted"] == 1000
    assert (await fate(bot, single))[0][1] == "sent"
    assert "queued" in states
    assert stopped.json()["was_running"]


async def test_expired_is_told(bot: Bot) -> None:
    """What expired before it could be sent is never sent."""
    answer = await notify(bot, to=["alias:ops"], text="too late", expires_at="2020-01-01T00:00:00Z")

    async def expired() -> bool:
        return await fate(bot, answer) == [("alias:ops", "expired", None)]

    await eventually(expired, awaited="the expiry")
    await asyncio.gather(notify(bot, wait=50, to=["alias:ops"], text="in time"))
    assert "too late" not in {message["text"] for message in await bot.chat()}
