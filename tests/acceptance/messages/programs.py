"""The gateway and the sandbox as programs, with what people can do around them."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import psutil

from tests.acceptance.api.operator import ADMIN_KEY, settings_of
from tests.acceptance.api.server import forked_gateway
from tests.acceptance.messages.conversation import CLIENT, PLANFIX_TOKEN, Conversation
from tests.support.callers import caller
from tests.support.session_files import write_session_file
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import httpx

    from tests.acceptance.api.server import Server

    Run = Callable[[Path, Mapping[str, str], str], AbstractAsyncContextManager[Server]]

REAL = "api:create_app()"
CRASHING = "tests.acceptance.messages.app:create_app()"
PROVIDER = "telegram"
NUMBERS = itertools.count(380_500_000_001)
CONTACTS = itertools.count(380_670_000_001)


class Programs:
    """One sandbox, one gateway that can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        sandbox: Mapping[str, str],
        app: str,
        database_url: str = "",
        run: Run = forked_gateway,
        /,
        **settings: str,
    ) -> None:
        self._run = run
        self.folder = folder
        self.sandbox_url = sandbox["SANDBOX_URL"]
        self.database_url = database_url or f"sqlite+aiosqlite:///{folder / 'data' / 'telefix.db'}"
        self._app = app
        self._settings = settings_of(folder, sandbox) | {
            "DATABASE_URL": self.database_url,
            "LANGUAGE": "en",
            **settings,
        }
        self._stack = AsyncExitStack()
        self._life = AsyncExitStack()
        self._open: set[Conversation] = set()
        self.http: httpx.AsyncClient
        self.server: Server

    async def __aenter__(self) -> Self:
        self.http = await self._stack.enter_async_context(
            # No connection is kept: the other side ends an idle one just when it is used again.
            caller()
        )
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._life.aclose()
        await self._stack.aclose()

    async def start(self) -> None:
        """Start the gateway; it goes on with what an earlier one has left."""
        self.server = await self._life.enter_async_context(
            self._run(self.folder, self._settings, self._app)
        )
        await self.server.wait_ready()
        for conversation in self._open:
            await self._tell_planfix_the_way(conversation)

    async def stop(self) -> None:
        """End the gateway in good order."""
        await self.server.end(signal.SIGTERM)
        await self._life.aclose()

    async def kill(self) -> None:
        """End it without a warning; return when nothing of it is left."""
        family = self.server.family
        os.kill(self.application, signal.SIGKILL)
        await self.until_gone(family)

    async def until_gone(self, family: list[psutil.Process]) -> None:
        await eventually(lambda: not any(map(_runs, family)), awaited="nothing of the gateway left")
        await self._life.aclose()

    @property
    def application(self) -> int:
        """Tell which process holds the application."""
        return self.server.process.pid

    async def open(
        self, number: str = "", beside: Conversation | None = None, **contact: Any
    ) -> Conversation:
        """Bring a number online, with a contact who may write to it; ``beside`` shares its Planfix."""
        if self.server.process.returncode is not None:
            await self._life.aclose()
            await self.start()
        number = number or str(next(NUMBERS))
        await self.control("POST", "/telegram/accounts", phone=number, first_name="Olena")
        made = await self.control("POST", "/telegram/sessions", phone=number)
        path = self.folder / "data" / "sessions" / f"{number}.session"
        await asyncio.to_thread(write_session_file, path, made["string_session"])
        person = await self.add_person(**contact)
        settings = {"planfix_token": PLANFIX_TOKEN, "provider_id": PROVIDER}
        account = beside.account if beside else f"client{number}"
        await self.control("PUT", f"/planfix/{account}", **settings)
        token = await self._register(number, account)
        conversation = Conversation(self, number, person["phone"], person["user_id"], token)
        conversation.account = account
        await self._tell_planfix_the_way(beside or conversation)
        self._open.add(conversation)
        return conversation

    async def add_person(self, **fields: Any) -> Any:
        known = {"phone": str(next(CONTACTS)), "first_name": "Taras", "last_name": "Melnyk"}
        return await self.control("POST", "/telegram/accounts", **{**known, **fields})

    async def close(self, conversation: Conversation) -> None:
        """Take the number off the line."""
        self._open.discard(conversation)
        named = {"name": CLIENT, "number": conversation.number}
        await self.gateway("DELETE", "/webhook", json=named)

    async def control(self, verb: str, path: str, /, **fields: Any) -> Any:
        """Arrange something in the sandbox."""
        response = await self.http.request(verb, self.sandbox_url + path, json=fields or None)
        assert response.is_success, (path, response.text)
        return response.json()

    async def look(self, path: str, **query: Any) -> Any:
        """Look at something in the sandbox."""
        response = await self.http.get(self.sandbox_url + path, params=query)
        return response.raise_for_status().json()

    async def gateway(
        self, method: str, path: str, key: str = ADMIN_KEY, **request: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await self.http.request(method, self.server.url + path, headers=headers, **request)

    async def _register(self, number: str, account: str) -> str:
        body = {
            "name": CLIENT,
            "number": number,
            "url_planfix": f"{self.sandbox_url}/planfix/{account}/webchat/api",
            "token_planfix": PLANFIX_TOKEN,
            "provider_id": PROVIDER,
            "name_session": number,
        }
        response = await self.gateway("POST", "/webhook?wait=60", json=body)
        assert (response.status_code, response.json()["state"]) == (201, "online"), response.text
        return str(response.json()["token"])

    async def _tell_planfix_the_way(self, conversation: Conversation) -> None:
        settings = {
            "planfix_token": PLANFIX_TOKEN,
            "provider_id": PROVIDER,
            "webhook_url": f"{self.server.url}/webhook/message",
            "token": conversation.token,
        }
        await self.control("PUT", f"/planfix/{conversation.account}", **settings)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
