"""Nodes share the numbers, and any of them takes any call."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.acceptance.api.operator import ADMIN_KEY, CLIENT
from tests.acceptance.api.server import running_sandbox
from tests.acceptance.nodes.cluster import PATIENT, Cluster
from tests.support.session_files import write_session_file
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.nodes.cluster import NodeProgram, Talk
    from tests.support.databases import Postgres

LONG = 6.0  # seconds, for which a worker that is stopped does not wait

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> AsyncIterator[Cluster]:
    """Give two nodes with two numbers each."""
    folder = tmp_path_factory.mktemp("nodes")
    with postgres.fresh_database() as url:
        async with (
            running_sandbox(folder) as sandbox,
            Cluster(
                folder,
                sandbox,
                url,
                {**PATIENT, "ALERT_URL": f"{sandbox['SANDBOX_URL']}/alerts"},
            ) as made,
        ):
            first, _ = await made.add_node(), await made.add_node()
            for _ in range(4):
                await made.add_talk(first)
            yield made


async def test_new_numbers_are_spread(cluster: Cluster) -> None:
    """Numbers that one node is asked to start are started where the fewest run."""
    first, second = cluster.nodes
    await cluster.until_spread(first, 2, 2)
    await cluster.until_online(first)
    assert await cluster.spread(second) == await cluster.spread(first)
    await cluster.until_online(second)


async def test_messages_pass_through_any_node(cluster: Cluster) -> None:
    """A message is taken by whichever node Planfix calls, and keeps its place in the chat."""
    for count in range(6):
        for talk in cluster.talks:
            await cluster.tell(talk, f"text {count}", via=cluster.nodes[count % 2])
            await cluster.hear(talk, f"words {count}")
    await cluster.until_all_said()
    await cluster.require_order()
    assert await cluster.peak() == 1
    for node in cluster.nodes:
        await eventually(
            partial(shows_traffic_of_all, cluster, node), awaited=f"{node.url}/traffic"
        )


async def shows_traffic_of_all(cluster: Cluster, node: NodeProgram) -> bool:
    hours = (await cluster.call(node, "GET", "/traffic")).json()["numbers"]
    return {talk.number for talk in cluster.talks} <= {hour["number"] for hour in hours}


async def test_call_about_a_number_reaches_its_node(cluster: Cluster) -> None:
    """Whatever is asked about a number of another node, the caller sees no difference."""
    await cluster.until_online(cluster.nodes[0])
    for talk in cluster.talks:
        answers = [await seen_online(cluster, node, talk) for node in cluster.nodes]
        assert len({each["worker"]["pid"] for each in answers}) == 1
        again = await cluster.call(cluster.nodes[0], "POST", f"/numbers/{talk.number}/restart")
        assert again.status_code == 200, again.text
    await cluster.until_online(cluster.nodes[1])
    assert await cluster.peak() == 1


async def seen_online(cluster: Cluster, node: NodeProgram, talk: Talk) -> Any:
    """Return what a node shows of a number, as soon as it is online there."""

    async def look() -> Any:
        answer = await cluster.call(node, "GET", f"/numbers/{talk.number}", talk.token)
        return answer.json() if answer.json()["state"] == "online" else None

    return await eventually(look, awaited=f"{talk.number} online at {node.url}")


async def test_first_message_asks_the_owner(cluster: Cluster) -> None:
    """A recipient who has to be found in Telegram is found by the node that runs the number."""
    talk = cluster.talks[0]
    await cluster.until_online(cluster.nodes[0])
    for index, node in enumerate(cluster.nodes):
        phone = f"38063000000{index}"
        stranger = {"phone": phone, "first_name": "Ihor"}
        found = await cluster.control("POST", "/telegram/accounts", **stranger)
        answer = await cluster.http.post(
            f"{node.url}/webhook/message",
            data={
                "cmd": "newMessage",
                "providerId": "telegram",
                "token": talk.token,
                "contactPhone": phone,
                "message": "good day",
                "messageId": f"first-{index}",
            },
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["contactId"] == str(found["user_id"])


async def test_any_node_knows_wrong_keys(cluster: Cluster) -> None:
    """A key that opens nothing opens nothing on any node, and nobody but nodes asks for their numbers."""
    for node in cluster.nodes:
        path = f"/numbers/{cluster.talks[0].number}"
        assert (await cluster.call(node, "GET", path, "wrong")).status_code == 401
        for of_nodes in ("/nodes/numbers", "/nodes/traffic"):
            assert (await cluster.call(node, "GET", of_nodes)).status_code == 401
        assert (
            await cluster.call(node, "GET", "/nodes", cluster.talks[0].token)
        ).status_code == 401


async def test_metrics_show_all_nodes(cluster: Cluster) -> None:
    """Any node gives the figures of all numbers."""

    async def are_counted(node: NodeProgram) -> bool:
        text = (await cluster.call(node, "GET", "/metrics")).text
        return 'telefix_numbers{state="online"} 4.0' in text

    for node in cluster.nodes:
        await eventually(partial(are_counted, node), awaited="four numbers online in the figures")


async def test_number_is_stopped_and_started_by_any_node(cluster: Cluster) -> None:
    """A stopped number gets a new token at any node, and its old one dies on all of them."""
    talk = cluster.talks[-1]
    first, second = cluster.nodes
    named = {"name": "Romashka", "number": talk.number}
    stopped = await cluster.call(first, "DELETE", "/webhook", json=named)
    assert stopped.json() == {"status": "offline", "was_running": True}

    body = {
        **named,
        "url_planfix": f"{cluster._sandbox['SANDBOX_URL']}/planfix/c{talk.number}/webchat/api",
        "token_planfix": "planfix-token-of-romashka",
    }
    started = await cluster.call(second, "POST", "/webhook?wait=60", json=body)
    assert (started.status_code, started.json()["state"]) == (201, "online"), started.text
    old, talk.token = talk.token, started.json()["token"]
    for node in cluster.nodes:
        for token, status in ((old, 401), (talk.token, 200)):
            shown = await cluster.call(node, "GET", "/webhook", token, params=named)
            assert shown.status_code == status
    exists = await cluster.call(first, "POST", "/webhook", json=body)
    assert exists.status_code == 409


async def test_session_file_lies_at_the_node_that_is_called(cluster: Cluster) -> None:
    """Each node has a SESSION_ROOT of its own: what counts is that of the node that the operator calls."""
    talk = cluster.talks[-1]
    named = {"name": CLIENT, "number": talk.number}
    for node in cluster.nodes:
        made = await cluster.control("POST", "/telegram/sessions", phone=talk.number)
        root = Path(node.settings["DATA_DIR"]) / "sessions"
        write_session_file(root / "fresh.session", made["string_session"])
        body = {**named, "name_session": "fresh"}
        changed = await cluster.call(node, "PUT", "/webhook?wait=60", json=body)
        assert (changed.status_code, changed.json()["state"]) == (200, "online"), changed.text
        export = f"/numbers/{talk.number}/session/export"
        exported = await cluster.call(node, "POST", export, json={"format": "string"})
        assert exported.json() == {"string_session": made["string_session"]}


async def test_link_of_a_file_works_through_every_node(cluster: Cluster) -> None:
    """A file that one node fetched from Telegram is served by the others as well, link unchanged."""
    talk = cluster.talks[0]
    await cluster.until_online(cluster.nodes[0])
    file = {"name": "plan.txt", "mime": "text/plain", "base64": b64encode(b"a plan").decode()}
    people = {"from": talk.contact, "to": talk.number}
    await cluster.control("POST", "/telegram/messages", **people, text="the plan", files=[file])
    talk.heard.append("the plan")
    await cluster.until_all_said()

    calls = await cluster.look(f"/planfix/c{talk.number}/calls")
    [link] = [url for call in calls for url in call["fields"].get("attachments[url]", [])]
    for node in cluster.nodes:
        answer = await cluster.http.get(node.url + urlsplit(link).path)
        assert (answer.status_code, answer.content) == (200, b"a plan")


async def test_bulk_action_reaches_the_numbers_of_all_nodes(cluster: Cluster) -> None:
    """One call acts on all numbers of a client, whichever nodes run them."""
    for node in cluster.nodes:
        await cluster.until_online(node)
        body = {"action": "restart", "client": CLIENT}
        answer = await cluster.call(node, "POST", "/numbers/actions", json=body)
        outcomes = {each["number"]: each["outcome"] for each in answer.json()["numbers"]}
        assert outcomes == {talk.number: "done" for talk in cluster.talks}, answer.text
    await cluster.until_online(cluster.nodes[0])
    assert await cluster.peak() == 1


async def test_notification_is_taken_by_any_node(cluster: Cluster) -> None:
    """Who is notified through whichever node hears of it soon, and once; a phone is looked up by the owner."""
    await cluster.until_online(cluster.nodes[0])
    talk = cluster.talks[0]
    for place, node in enumerate(cluster.nodes):
        for to in (talk.contact_id, f"+{talk.contact}"):
            text = f"notice {place} for {to}"
            body = {"to": [to], "text": text}
            answer = await cluster.call(node, "POST", "/notify", talk.token, json=body)
            assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
            talk.told.append(text)
            await cluster.until_all_said()
    assert await cluster.in_telegram(talk) == talk.told


async def test_program_finds_its_bot_at_any_node(cluster: Cluster) -> None:
    """The Bot API sends, uploads and edits, whichever node a program calls; a schedule fires once."""
    first = cluster.nodes[0]
    made = await cluster.control(
        "POST", "/telegram/accounts", bot=True, username="a_cluster_bot", first_name="Bot"
    )
    body = {"name": CLIENT, "token": made["bot_token"]}
    started = await cluster.call(first, "POST", "/bots?wait=60", json=body)
    assert (started.status_code, started.json()["state"]) == (201, "online"), started.text
    person = cluster.talks[0].contact_id
    people = {"from": cluster.talks[0].contact, "to": "a_cluster_bot"}
    await cluster.control("POST", "/telegram/messages", **people, text="/start")
    for node in cluster.nodes:
        base = f"{node.url}/bot{made['bot_token']}"
        sent = await cluster.http.post(
            f"{base}/sendMessage", json={"chat_id": person, "text": "hello"}
        )
        assert sent.json()["ok"], sent.text
        place = {"chat_id": person, "message_id": sent.json()["result"]["message_id"]}
        edited = await cluster.http.post(f"{base}/editMessageText", json={**place, "text": "bye"})
        assert edited.json()["result"]["text"] == "bye", edited.text
        sent = await cluster.http.post(
            f"{base}/sendDocument",
            data={"chat_id": person},
            files={"document": ("a.txt", b"content " * 200_000)},
        )
        assert sent.json()["ok"], sent.text
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    order = {"to": [person], "text": "later", "dedup_key": "later", "not_before": soon}
    key = started.json()["key"]
    calls = [
        cluster.call(node, "POST", "/notify?wait=60", key, json=order) for node in cluster.nodes
    ]
    for told in await asyncio.gather(*calls):
        assert [each["state"] for each in told.json()["recipients"]] == ["sent"], told.text
    chat = {"of": cluster.talks[0].contact, "with": "a_cluster_bot"}
    texts = [each["text"] for each in await cluster.look("/telegram/messages", **chat)]
    assert texts.count("later") == 1
    bot = f"/bots/{started.json()['bot']}?purge=true"
    assert (await cluster.call(first, "DELETE", bot)).status_code == 200


async def test_any_node_tells_what_happens_to_all_numbers(cluster: Cluster) -> None:
    """Who listens at one node hears of the numbers of all; of each change there is one alarm."""
    first = cluster.nodes[0]
    await cluster.until_online(first)
    known = await state_alarms(cluster)
    listening = [asyncio.Event() for _ in cluster.nodes]
    told = [
        asyncio.create_task(until_all_told(cluster, node, begun))
        for node, begun in zip(cluster.nodes, listening, strict=True)
    ]
    for begun in listening:
        await begun.wait()
    body = {"action": "restart", "client": CLIENT}
    assert (await cluster.call(first, "POST", "/numbers/actions", json=body)).status_code == 200
    await asyncio.gather(*told)

    async def are_alarms_raised() -> bool:
        raised = await state_alarms(cluster) - known
        return {talk.number for talk in cluster.talks} <= {number for number, _ in raised}

    await eventually(are_alarms_raised, awaited="alarms of what happened to each number")
    assert max((await state_alarms(cluster)).values()) == 1


async def until_all_told(cluster: Cluster, node: NodeProgram, begun: asyncio.Event) -> None:
    """Listen until each number was told to be online."""
    waited_for = {talk.number for talk in cluster.talks}
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with cluster.http.stream("GET", f"{node.url}/events", headers=headers) as answer:
        async for line in answer.aiter_lines():
            begun.set()
            told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if told.get("state") == "online":
                waited_for.discard(told["number"])
            if not waited_for:
                return


async def received_alarms(cluster: Cluster) -> list[Any]:
    """Return each alarm once: one that is not answered in time is sent again under its id."""
    return list({each["id"]: each for each in await cluster.look("/alerts")}.values())


async def state_alarms(cluster: Cluster) -> Counter[tuple[str, str]]:
    """Count the alarms about each change, which has a number and a moment."""
    alarms = await received_alarms(cluster)
    changes = [each for each in alarms if each["type"] == "number.state"]
    return Counter((number, each["at"]) for each in changes for number in each["numbers"])


async def test_trouble_of_numbers_on_all_nodes_is_told_once(cluster: Cluster) -> None:
    """A cause that the numbers of two nodes share is one alarm."""
    everybody = {talk.number for talk in cluster.talks}
    for node in cluster.nodes:
        await cluster.until_online(node)
    for talk in cluster.talks:
        refused = {"mode": "unauthorized", "cmd": "newMessage"}
        await cluster.control("POST", f"/planfix/c{talk.number}/faults", **refused)
        await cluster.hear(talk, "refused at first")

    async def is_told() -> bool:
        return bool(await fleet_alarms(cluster))

    await eventually(is_told, awaited="an alarm about all numbers")
    for talk in cluster.talks:
        await cluster.control("DELETE", f"/planfix/c{talk.number}/faults")
    body = {"action": "restart", "client": CLIENT}
    answer = await cluster.call(cluster.nodes[1], "POST", "/numbers/actions", json=body)
    assert answer.status_code == 200, answer.text
    await cluster.until_all_said()
    [alarm] = await fleet_alarms(cluster)
    assert {*alarm["numbers"]} <= everybody


async def fleet_alarms(cluster: Cluster) -> list[Any]:
    alarms = [each for each in await received_alarms(cluster) if each["type"] == "fleet.trouble"]
    return [each for each in alarms if "planfix_unauthorized" in json.dumps(each)]


async def test_number_that_moves_delivers_nothing_twice(cluster: Cluster) -> None:
    """What is on its way to Planfix while a node ends in order arrives once."""
    first, second = cluster.nodes
    await cluster.until_online(first)
    slow = {"mode": "slow", "cmd": "newMessage", "seconds": LONG, "times": 1}
    for talk in cluster.talks:
        await cluster.control("POST", f"/planfix/c{talk.number}/faults", **slow)
        await cluster.hear(talk, "on its way")
    for talk in cluster.talks:
        await eventually(partial(deliveries, cluster, talk), awaited="a call under way")

    assert await second.drain() == 0
    assert await cluster.spread(first) == {first.url: len(cluster.talks)}

    await cluster.until_online(first)
    await cluster.until_all_said()
    assert [await deliveries(cluster, talk) for talk in cluster.talks] == [1] * len(cluster.talks)
    assert await cluster.peak() == 1
    await cluster.start(second)
    await second.server.wait_ready()
    half = len(cluster.talks) // 2
    await cluster.until_spread(first, half, half)
    await cluster.until_online(first)


async def deliveries(cluster: Cluster, talk: Talk) -> int:
    calls = await cluster.look(f"/planfix/c{talk.number}/calls")
    return sum(call["fields"].get("message") == ["on its way"] for call in calls)
