"""Several gateways on one database, each behind its own line to it, and what happens to them."""

from __future__ import annotations

import asyncio
import itertools
import signal
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import httpx
import psutil
from sqlalchemy import make_url

from tests.acceptance.api.operator import ADMIN_KEY, CLIENT, settings_of
from tests.acceptance.api.server import free_port, gateway
from tests.support.relay import Relay
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.acceptance.api.server import Server

REAL = "api:create_app()"
HASTY = {"NODE_TTL": "4", "NODE_TAKEOVER": "5"}
PATIENT = {"NODE_TTL": "60", "NODE_TAKEOVER": "80"}
ATTEMPT = 5.0  # seconds; whoever gets no answer tries another node
PLANFIX_TOKEN = "planfix-token-of-romashka"
PROVIDER = "telegram"
NUMBERS = itertools.count(380_500_100_001)
CONTACTS = itertools.count(380_670_100_001)
Json = dict[str, Any]


@dataclass
class NodeProgram:
    """A gateway that is one of several."""

    server: Server
    line: Relay
    """Its way to the database."""
    frozen: list[psutil.Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def is_running(self) -> bool:
        return self.server.process.returncode is None and not self.frozen

    async def kill(self) -> None:
        """End the gateway without a warning; its workers are left to the kernel."""
        self.server.process.kill()
        await self.server.process.wait()

    async def drain(self) -> int:
        """End it in order; it hands its numbers over before."""
        return await self.server.end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop every process of it, as a machine does that hangs."""
        self.frozen = self.server.family
        for process in self.frozen:
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def freeze_supervisor(self) -> None:
        """Stop the supervisor alone; its workers go on."""
        self.frozen = [psutil.Process(self.server.process.pid)]
        self.frozen[0].suspend()

    def thaw(self) -> None:
        for process in self.frozen:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self.frozen = []


@dataclass
class Talk:
    """A number, its contact, and all that was said."""

    number: str
    contact: str
    contact_id: int
    token: str
    told: list[str] = field(default_factory=list)
    """What the employee wrote and the gateway has taken."""
    heard: list[str] = field(default_factory=list)
    """What the contact wrote."""

    @property
    def chat_id(self) -> str:
        return f"{self.number}_{self.contact_id}"


class Cluster:
    """One sandbox, one database, and nodes that come and go."""

    def __init__(
        self,
        folder: Path,
        sandbox: Mapping[str, str],
        database_url: str,
        settings: Mapping[str, str],
        app: str = REAL,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._sandbox = sandbox
        self._database_url = make_url(database_url)
        self._app = app
        self._stack = AsyncExitStack()
        self._count = itertools.count()
        self.nodes: list[NodeProgram] = []
        self.talks: list[Talk] = []
        self.http: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        self.http = await self._stack.enter_async_context(
            httpx.AsyncClient(
                timeout=PATIENCE,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes:
            node.thaw()
        await self._stack.aclose()

    @property
    def running(self) -> list[NodeProgram]:
        return [node for node in self.nodes if node.is_running]

    async def add_node(self) -> NodeProgram:
        """Start one more node, with a DATA_DIR of its own."""
        port, name = free_port(), f"node{next(self._count)}"
        folder = str(self._database_url.query["host"])
        line = await self._stack.enter_async_context(Relay(folder, 5432))
        own = settings_of(self._folder, self._sandbox) | {
            "DATA_DIR": str(self._folder / name),
            "DATABASE_URL": f"postgresql://postgres:any@127.0.0.1:{line.port}"
            f"/{self._database_url.database}",
            "LANGUAGE": "en",
            "NODE_URL": f"http://127.0.0.1:{port}",
            **self._settings,
        }
        server = await self._stack.enter_async_context(
            gateway(self._folder, own, self._app, port=port)
        )
        node = NodeProgram(server, line)
        self.nodes.append(node)
        await server.wait_ready()
        return node

    async def add_talk(self, via: NodeProgram) -> Talk:
        """Bring a number online, with a contact who has written to it once."""
        number, contact = str(next(NUMBERS)), str(next(CONTACTS))
        await self.control("POST", "/telegram/accounts", phone=number, first_name="Olena")
        person = await self.control("POST", "/telegram/accounts", phone=contact, first_name="Taras")
        made = await self.control("POST", "/telegram/sessions", phone=number)
        planfix = {"planfix_token": PLANFIX_TOKEN, "provider_id": PROVIDER}
        await self.control("PUT", f"/planfix/c{number}", **planfix)
        body = {
            "name": CLIENT,
            "number": number,
            "url_planfix": f"{self._sandbox['SANDBOX_URL']}/planfix/c{number}/webchat/api",
            "token_planfix": PLANFIX_TOKEN,
            "provider_id": PROVIDER,
            "string_session": made["string_session"],
        }
        answer = await self.call(via, "POST", "/webhook?wait=60", json=body)
        assert answer.status_code == 201, answer.text
        talk = Talk(number, contact, person["user_id"], answer.json()["token"])
        self.talks.append(talk)
        await self.hear(talk, "hello")
        return talk

    async def hear(self, talk: Talk, text: str) -> None:
        """Let the contact write."""
        fields = {"from": talk.contact, "to": talk.number, "text": text}
        await self.control("POST", "/telegram/messages", **fields)
        talk.heard.append(text)

    async def tell(self, talk: Talk, text: str, via: NodeProgram | None = None) -> None:
        """Let Planfix deliver an employee's message, again and again until some node takes it."""
        fields = {
            "cmd": "newMessage",
            "providerId": PROVIDER,
            "channel": talk.number,
            "token": talk.token,
            "chatId": talk.chat_id,
            "message": text,
            "messageId": f"{talk.number}-{text}",
        }
        ways = itertools.cycle([via] if via else self.nodes)

        async def is_taken() -> bool:
            node = next(ways)
            if not node.is_running:
                return False
            with suppress(httpx.TransportError):
                answer = await self.http.post(
                    f"{node.url}/webhook/message", data=fields, timeout=ATTEMPT
                )
                return answer.status_code == 200
            return False

        await eventually(is_taken, awaited=f"{text} taken")
        talk.told.append(text)

    async def until_all_said(self) -> None:
        """Wait until everything has arrived, on both sides."""
        for talk in self.talks:
            await eventually(partial(self._is_said, talk), awaited=f"{talk.number} said")

    async def require_order(self) -> None:
        """Everything is there in its order, in Telegram once; in Planfix it may be repeated."""
        for talk in self.talks:
            assert await self.in_telegram(talk) == talk.told
            assert list(dict.fromkeys(await self.in_planfix(talk))) == talk.heard

    async def peak(self) -> int:
        """Return how many connections any login ever had open at the same time."""
        counts = [
            await self.look("/telegram/connections", phone=talk.number) for talk in self.talks
        ]
        return max(int(count["peak_per_key"]) for count in counts)

    async def in_telegram(self, talk: Talk) -> list[str]:
        path, people = "/telegram/messages", {"of": talk.contact, "with": talk.number}
        return [each["text"] for each in await self.look(path, **people) if not each["out"]]

    async def in_planfix(self, talk: Talk) -> list[str]:
        return [each["text"] for each in await self.look(f"/planfix/c{talk.number}/messages")]

    async def numbers(self, via: NodeProgram) -> dict[str, str]:
        """Return the state of each number, as a node shows them."""
        answer = await self.call(via, "GET", "/numbers")
        return {each["number"]: each["state"] for each in answer.json()["numbers"]}

    async def until_online(self, via: NodeProgram) -> None:
        seen: dict[str, str] = {}

        async def are_online() -> bool:
            seen.clear()
            with suppress(httpx.TransportError, KeyError):
                seen.update(await self.numbers(via))
            return set(seen.values()) == {"online"}

        with self._telling(seen):
            await eventually(are_online, awaited="all numbers online")

    async def spread(self, via: NodeProgram) -> dict[str, int]:
        """Return how many numbers each live node has."""
        nodes = (await self.call(via, "GET", "/nodes")).json()["nodes"]
        live = [each for each in nodes if each["state"] in {"alive", "draining"}]
        return {each["url"]: each["numbers"] for each in live}

    async def until_spread(self, via: NodeProgram, *numbers: int) -> None:
        seen: dict[str, int] = {}

        async def is_spread() -> bool:
            seen.clear()
            seen.update(await self.spread(via))
            return sorted(seen.values()) == sorted(numbers)

        with self._telling(seen):
            await eventually(is_spread, awaited=f"numbers spread {numbers}")

    @contextmanager
    def _telling(self, seen: Mapping[str, object]) -> Iterator[None]:
        """Add what was seen last, and what the nodes have logged, to a failure."""
        try:
            yield
        except AssertionError as exc:
            exc.add_note(f"seen last: {seen}")
            for node in self.nodes:
                exc.add_note(f"{node.url}:\n{node.server.newest_lines()}")
            raise

    async def id_of(self, node: NodeProgram) -> str:
        nodes = (await self.call(node, "GET", "/nodes")).json()["nodes"]
        [found] = [each["node"] for each in nodes if each["url"] == node.url]
        return str(found)

    async def call(
        self, via: NodeProgram, method: str, path: str, key: str = ADMIN_KEY, **request: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await self.http.request(method, via.url + path, headers=headers, **request)

    async def control(self, verb: str, path: str, /, **fields: Any) -> Any:
        response = await self.http.request(verb, self._sandbox["SANDBOX_URL"] + path, json=fields)
        assert response.is_success, (path, response.text)
        return response.json()

    async def look(self, path: str, **query: Any) -> Any:
        response = await self.http.get(self._sandbox["SANDBOX_URL"] + path, params=query)
        return response.raise_for_status().json()

    async def _is_said(self, talk: Talk) -> bool:
        told, heard = await asyncio.gather(self.in_telegram(talk), self.in_planfix(talk))
        return set(told) >= set(talk.told) and set(heard) >= set(talk.heard)
