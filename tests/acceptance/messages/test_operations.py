"""What an operator can find out and do: paths, dead letters, the past of a number, its Planfix, events."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.api.operator import ADMIN_KEY
from tests.acceptance.messages.conversation import PLANFIX_TOKEN
from tests.acceptance.messages.programs import PROVIDER
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
LANGUAGE = {"Accept-Language": "en"}


async def get(conversation: Conversation, path: str, **query: Any) -> Any:
    full = f"/numbers/{conversation.number}{path}"
    response = await conversation.programs.gateway("GET", full, conversation.token, params=query)
    return response.raise_for_status().json()


async def dead_letter(conversation: Conversation, text: str) -> int:
    """Let Planfix refuse a message for good; return its row."""
    await conversation.planfix_fails("refuse")
    await conversation.contact_writes(text)
    await eventually(lambda: has_died(conversation, text), awaited="a dead letter")
    [row] = [each["id"] for each in await conversation.journal(state="dead", search=text)]
    return int(row)


async def has_died(conversation: Conversation, text: str) -> bool:
    return text in [each["text"] for each in await conversation.journal(state="dead")]


async def test_path_of_a_message_is_told(conversation: Conversation) -> None:
    """From one side to the other: when it came, was stored, sent, delivered and read, with all ids."""
    [written] = await conversation.contact_writes("hello there")
    await conversation.until_in_planfix("hello there")
    sent = await conversation.employee_tells("good day")
    await conversation.until_in_telegram("good day")
    await conversation.contact_reads()
    await conversation.until_told(sent, "sent", "read")

    [came] = (await get(conversation, "/messages", telegram_id=written))["messages"]
    [went] = (await get(conversation, "/messages", message_id=sent))["messages"]
    path_in = await get(conversation, f"/messages/{came['id']}")
    path_out = await get(conversation, f"/messages/{went['id']}")

    assert path_in["telegram_ids"] == [written]
    assert path_in["contact"] == path_out["contact"] == "Taras Melnyk"
    assert in_order(path_in, "received", "stored", "sent", "delivered")
    assert path_in["tries"] == []
    assert (path_out["message_id"], path_out["chat_id"]) == (sent, conversation.chat_id)
    assert path_out["contact_id"] == str(conversation.contact_id)
    assert len(path_out["telegram_ids"]) == 1
    assert in_order(path_out, "stored", "sent", "delivered", "read")


async def test_traffic_is_measured(conversation: Conversation) -> None:
    """Prometheus gets how many messages were delivered each way, and histograms of how long that took."""
    await conversation.contact_writes("in")
    await conversation.until_in_planfix("in")
    await conversation.until_told(await conversation.employee_tells("out"), "sent")

    text = (await conversation.programs.gateway("GET", "/metrics")).text

    lines = text.splitlines()
    for direction in ("in", "out"):
        labels = f'direction="{direction}",number="{conversation.number}"'
        assert f"telefix_delivered_total{{{labels}}} 1.0" in lines
        counted = [
            each for each in lines if each.startswith(f"telefix_way_{direction}_seconds_count")
        ]
        assert [float(each.split()[-1]) >= 1 for each in counted] == [True]
    for name in ("telefix_commit_seconds", "telefix_loop_lag_seconds"):
        assert f'{name}_bucket{{le="+Inf"}}' in text
    assert f'telefix_deaf_seconds_total{{number="{conversation.number}"}} 0.0' in lines


def in_order(path: dict[str, str], *names: str) -> bool:
    moments = [datetime.fromisoformat(path[name]) for name in names]
    return moments == sorted(moments)


async def test_messages_are_found_by_word_and_chat(conversation: Conversation) -> None:
    """Texts are sealed in the database, and found all the same, in any case and page by page."""
    texts = [f"Order {count} of Борщ" for count in range(3)]
    for text in texts:
        await conversation.contact_writes(text)
    await conversation.until_in_planfix(*texts)

    found = await get(conversation, "/messages", search="БОРЩ", limit=2)
    rest = await get(conversation, "/messages", search="БОРЩ", before=found["next_before"])
    in_chat = await get(conversation, "/messages", chat=conversation.chat_id)

    assert [each["text"] for each in found["messages"]] == [texts[2], texts[1]]
    assert [each["text"] for each in rest["messages"]] == [texts[0]]
    assert rest["next_before"] is None
    assert len(in_chat["messages"]) == 3
    assert (await get(conversation, "/messages", search="cabbage"))["messages"] == []
    assert (await get(conversation, "/messages", chat="999999"))["messages"] == []


async def test_dead_letter_is_counted_until_it_is_dismissed(conversation: Conversation) -> None:
    """A lost message shows in the counts of its number; dismissed, it is kept and no longer counted."""
    row = await dead_letter(conversation, "lost")
    number, token = conversation.number, conversation.token
    assert (await conversation.shown())["dead"] == {"in": 1, "out": 0}
    path = await get(conversation, f"/messages/{row}")
    assert [(each["code"], each["times"]) for each in path["tries"]] == [("planfix_rejected", 1)]

    dismissed = await conversation.programs.gateway(
        "DELETE", f"/numbers/{number}/messages/{row}", token
    )

    assert dismissed.json() == {"dismissed": 1}
    assert (await conversation.shown())["dead"] == {"in": 0, "out": 0}
    assert await conversation.journal(state="dead") == []
    [kept] = await conversation.journal(state="dismissed")
    assert (kept["id"], kept["state"]) == (row, "dismissed")
    for gone in (row + 10_000, "x"):
        path = f"/numbers/{number}/messages/{gone}"
        assert (await conversation.programs.gateway("DELETE", path, token)).status_code == 404


async def test_replay_that_dies_again_says_so(conversation: Conversation) -> None:
    """Whoever sends a dead letter again is told in the answer that it failed again, or arrived."""
    row = await dead_letter(conversation, "stubborn")
    again = f"/numbers/{conversation.number}/messages/{row}/replay?wait=60"

    failed = (await conversation.programs.gateway("POST", again)).json()
    await conversation.planfix_recovers()
    arrived = (await conversation.programs.gateway("POST", again)).json()

    assert (failed["message"]["state"], failed["message"]["replays"]) == ("dead", 1)
    assert failed["message"]["error"]["text"].startswith("It was sent again, and failed again.")
    assert (arrived["message"]["state"], arrived["message"]["replays"]) == ("delivered", 2)
    path = await get(conversation, f"/messages/{row}")
    assert [each["replays"] for each in path["tries"]] == [0, 1]


async def test_history_keeps_states_and_causes(conversation: Conversation) -> None:
    """A login that ends and comes back is in the past of its number, newest first, when its error is long gone."""
    await conversation.telegram_fails(kind="revoke")
    await eventually(lambda: is_in(conversation, "needs_login"), awaited="needs_login")
    made = await conversation.programs.control(
        "POST", "/telegram/sessions", phone=conversation.number
    )
    body = {"number": conversation.number, "string_session": made["string_session"]}
    await conversation.programs.gateway("PUT", "/webhook?wait=60", json=body)
    await conversation.until_online()

    await eventually(lambda: has_come_back(conversation), awaited="a written history")
    states = (await get(conversation, "/history"))["states"]

    assert (await conversation.shown())["last_error"] is None
    [lost] = [each for each in states if each["state"] == "needs_login"]
    assert lost["cause"]["code"] == "session_revoked"
    assert lost["status"] == "offline"
    assert [each["id"] for each in states] == sorted((each["id"] for each in states), reverse=True)
    older = await get(conversation, "/history", before=states[0]["id"], limit=1)
    assert older["states"] == states[1:2]


async def is_in(conversation: Conversation, state: str) -> bool:
    return bool((await conversation.shown())["state"] == state)


async def has_come_back(conversation: Conversation) -> bool:
    states = [each["state"] for each in (await get(conversation, "/history"))["states"]]
    return "needs_login" in states and states[0] == "online"


async def test_planfix_is_tested_before_saving(conversation: Conversation) -> None:
    """The right settings are right; a wrong address, a wrong key and an unknown provider are told apart."""
    right = f"{conversation.programs.sandbox_url}/planfix/{conversation.account}/webchat/api"
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "planfix_ok"),
        ({"url_planfix": right.replace("webchat", "nowhere")}, "planfix_address_wrong"),
        ({"url_planfix": "http://planfix.invalid/webchat/api"}, "planfix_address_wrong"),
        ({"token_planfix": "another"}, "planfix_unauthorized"),
        ({"provider_id": "another"}, "planfix_provider_unknown"),
    ]

    for body, code in cases:
        path = f"/numbers/{conversation.number}/planfix/test"
        answer = await conversation.programs.gateway("POST", path, conversation.token, json=body)
        told = answer.json()
        assert (told["ok"], told["code"]) == (not body, code), told
        assert told["detail"]

    assert await conversation.in_planfix() == []


async def test_another_planfix_gets_tasks_with_titles(conversation: Conversation) -> None:
    """After PUT of another url_planfix, the next message of a chat is the first one there."""
    await conversation.contact_writes("for the first")
    await conversation.until_in_planfix("for the first")
    programs, conversation.account = conversation.programs, f"moved{conversation.number}"
    settings = {"planfix_token": PLANFIX_TOKEN, "provider_id": PROVIDER}
    await programs.control("PUT", f"/planfix/{conversation.account}", **settings)
    url = f"{programs.sandbox_url}/planfix/{conversation.account}/webchat/api"
    body = {"number": conversation.number, "url_planfix": url}

    changed = await programs.gateway("PUT", "/webhook", conversation.token, json=body)
    await conversation.contact_writes("for the second")
    await conversation.until_in_planfix("for the second")

    assert changed.status_code == 200
    [moved] = await conversation.in_planfix()
    assert (moved["text"], moved["title"]) == ("for the second", "Taras Melnyk")


async def events(conversation: Conversation, **query: str) -> AsyncGenerator[tuple[str, Any], None]:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", **LANGUAGE}
    url = f"{conversation.programs.server.url}/events"
    async with conversation.programs.http.stream(
        "GET", url, params=query, headers=headers
    ) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("retry:"):
                yield "open", None
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            if line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


async def test_changes_are_streamed(conversation: Conversation) -> None:
    """Every state of a number, and every change of its counts, comes as an event without being asked for."""
    states: list[str] = []
    dead: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        stream = events(conversation, number=conversation.number)
        async for kind, data in stream:
            if kind == "open":
                await dead_letter(conversation, "for the counts")
            elif kind == "messages":
                dead.append(data["dead"])
                if data["dead"]["in"] == 1:
                    named = {"name": "Romashka", "number": conversation.number}
                    await conversation.programs.gateway("DELETE", "/webhook", json=named)
            elif kind == "number":
                assert (data["number"], data["client"]) == (conversation.number, "Romashka")
                states.append(data["state"])
                if data["state"] == "stopped":
                    break
        await stream.aclose()

    assert states == ["stopped"]
    assert dead[-1] == {"in": 1, "out": 0}


async def test_server_stops_although_somebody_listens(
    programs: Programs, conversation: Conversation
) -> None:
    """An open stream ends when the server does, and keeps no server from stopping."""
    await conversation.contact_writes("hear me")
    await eventually(lambda: was_heard(conversation), awaited="something heard")
    stream = events(conversation)
    assert await anext(stream) == ("open", None)

    async with asyncio.timeout(PATIENCE):
        await programs.stop()
        kinds = [kind async for kind, _ in stream]
    await programs.start()

    assert set(kinds) <= {"number", "messages"}
    assert await was_heard(conversation), "when it was last heard survives the restart"


async def was_heard(conversation: Conversation) -> bool:
    return (await conversation.shown())["last_heard"] is not None
