"""Several gateways on one database, each behind its own line to it, and what happens to them."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import httpx
import psutil
from sqlalchemy import make_url

from tests.acceptance.api.operator import ADMIN_KEY, CLIENT, settings_of
from tests.acceptance.api.server import forked_gateway, free_port
from tests.support.callers import caller
from tests.support.relay import Relay
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.acceptance.api.server import Server

    Run = Callable[..., AbstractAsyncContextManager[Server]]

LOOPBACK = "127.0.0.1"
REAL = "api:create_app()"
HASTY = {"NODE_TTL": "6", "NODE_TAKEOVER": "8"}
PATIENT = {"NODE_TTL": "60", "NODE_TAKEOVER": "80"}
PLANFIX_TOKEN = "planfix-token-of-romashka"
PROVIDER = "telegram"
NUMBERS = itertools.count(380_500_100_001)
CONTACTS = itertools.count(380_670_100_001)
Json = dict[str, Any]


@dataclass
class NodeProgram:
    """A gateway that is one of several."""

    name: str
    port: int
    settings: dict[str, str]
    line: Relay
    """Its way to the database."""
    telegram: Relay | None = None
    """Its way to Telegram, if that may be cut."""
    door: Relay | None = None
    """The way of all calls to it, if that may be cut."""
    server: Server = field(init=False)
    frozen: list[psutil.Process] = field(default_factory=list)
    life: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return self.settings["NODE_URL"] or f"http://{LOOPBACK}:{self.port}"

    @property
    def is_running(self) -> bool:
        return self.server.process.returncode is None and not self.frozen

    @property
    def lines(self) -> list[Relay]:
        return [line for line in (self.line, self.telegram, self.door) if line is not None]

    async def kill(self, *, whole: bool = False) -> None:
        """End the gateway without a warning; its workers are left to the kernel, or ended too."""
        family = self.server.family if whole else []
        self.server.process.kill()
        for process in family[1:]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
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

    attempt = 5.0
    """Seconds after which whoever gets no answer tries another node."""

    def __init__(
        self,
        folder: Path,
        sandbox: Mapping[str, str],
        database_url: str,
        settings: Mapping[str, str],
        app: str = REAL,
        *,
        is_severable: bool = False,
    ) -> None:
        """With `is_severable` the nodes may be cut off from everything, not only the database."""
        self.run: Run = forked_gateway
        self._is_severable = is_severable
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
        self.http = await self._stack.enter_async_context(caller())
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes:
            node.thaw()
            await node.life.aclose()
        await self._stack.aclose()

    @property
    def database_url(self) -> str:
        return self._database_url.render_as_string(hide_password=False)

    @property
    def running(self) -> list[NodeProgram]:
        return [node for node in self.nodes if node.is_running]

    async def add_node(self, **own: str) -> NodeProgram:
        """Start one more node, with a DATA_DIR and perhaps settings of its own."""
        folder, port = str(self._database_url.query["host"]), free_port()
        name, line = f"node{next(self._count)}", await self._lay(folder, 5432)
        telegram = door = None
        if self._is_severable:
            host, _, its_port = self._sandbox["TELEGRAM_DC"].rpartition(":")
            telegram, door = await self._lay(host, int(its_port)), await self._lay(LOOPBACK, port)
        database = self._database_url.database
        settings = {
            **settings_of(self._folder, self._sandbox),
            **({"TELEGRAM_DC": f"{LOOPBACK}:{telegram.port}"} if telegram else {}),
            "DATA_DIR": str(self._folder / name),
            "DATABASE_URL": f"postgresql://postgres:any@{LOOPBACK}:{line.port}/{database}",
            "LANGUAGE": "en",
            "NODE_URL": f"http://{LOOPBACK}:{door.port if door else port}",
            **self._settings,
            **own,
        }
        node = NodeProgram(name, port, settings, line, telegram, door)
        await self.start(node)
        self.nodes.append(node)
        await node.server.wait_ready()
        return node

    async def start(self, node: NodeProgram) -> None:
        """Start the program of a node, again if it has ended."""
        await node.life.aclose()
        program = self.run(self._folder, node.settings, self._app, port=node.port)
        node.server = await node.life.enter_async_context(program)

    async def _lay(self, host: str, port: int) -> Relay:
        return await self._stack.enter_async_context(Relay(host, port))

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
        ways = itertools.cycle([via] if via else random.sample(self.nodes, len(self.nodes)))

        async def is_taken() -> bool:
            node = next(ways)
            if not node.is_running:
                return False
            with suppress(httpx.TransportError):
                answer = await self.http.post(
                    f"{node.url}/webhook/message", data=fields, timeout=self.attempt
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
        return max([await self.peak_of(talk.number) for talk in self.talks])

    async def peak_of(self, number: str) -> int:
        return int((await self.look("/telegram/connections", phone=number))["peak_per_key"])

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
