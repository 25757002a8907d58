"""Nodes share the numbers, and any of them takes any call."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.acceptance.api.conftest import running_sandbox
from tests.acceptance.nodes.cluster import PATIENT, Cluster
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.nodes.cluster import NodeProgram
    from tests.support.databases import Postgres

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
    assert set((await cluster.numbers(second)).values()) == {"online"}


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
        answers = [
            (await cluster.call(node, "GET", f"/numbers/{talk.number}", talk.token)).json()
            for node in cluster.nodes
        ]
        assert [each["state"] for each in answers] == ["online", "online"]
        assert len({each["worker"]["pid"] for each in answers}) == 1
        again = await cluster.call(cluster.nodes[0], "POST", f"/numbers/{talk.number}/restart")
        assert again.status_code == 200, again.text
    await cluster.until_online(cluster.nodes[1])
    assert await cluster.peak() == 1


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
