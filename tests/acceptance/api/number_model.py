"""A model of what must be true of one number, whatever its operator, its client, an intruder or chance do."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.acceptance.api.operator import ADMIN_KEY, CLIENT
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    import httpx

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

    Step = Callable[[Server], Awaitable[None]]

MOST_KILLS = 3  # between two starts; more would be punished with pauses
MOST_INTRUSIONS = 15  # all together stay below what the gateway takes of one address


@dataclass
class NumberModel:
    """The model of one number, with a hand that does random things to the real one."""

    operator: Operator
    number: str
    chance: Random
    exists: bool = False
    runs: bool = False
    token: str = ""
    dead_tokens: list[str] = field(default_factory=lambda: ["made-up-token"])
    kills: int = 0
    intrusions: int = 0
    told: list[str] = field(default_factory=list)

    async def go_on(self, server: Server, steps: int) -> None:
        for _ in range(steps):
            step = self.chance.choice(self._choices())
            self.told.append(step.__name__)
            await step(server)
            await self.holds(server)

    async def holds(self, server: Server) -> None:
        """Wait until the gateway says what the model says."""
        await eventually(lambda: self._is_as_told(server), awaited=str(self))
        expected = 1 if self.runs else 0
        connections = await self.operator.connections(self.number)
        assert (connections["open"], connections["peak_per_key"] <= 1) == (expected, True), self

    async def _is_as_told(self, server: Server) -> bool:
        shown = await self._call(server, "GET", f"/numbers/{self.number}", ADMIN_KEY)
        if not self.exists:
            return shown.status_code == 404
        said = shown.json()
        if not self.runs:
            return (said["state"], said["status"], said["worker"]) == ("stopped", "offline", None)
        return (said["state"], said["status"], said["restarts"]) == ("online", "online", self.kills)

    def _choices(self) -> list[Step]:
        choices: list[Step] = [self.post, self.post, self.put, self.delete, self.restart]
        if self.runs and self.kills < MOST_KILLS:
            choices += [self.kill, self.kill]
        if self.intrusions < MOST_INTRUSIONS:
            choices.append(self.intrude)
        return choices

    async def post(self, server: Server) -> None:
        named = {} if self.exists else {"name_session": self.number}
        response = await self.operator.start(server, self.number, **named)

        if self.runs:
            assert (response.status_code, response.json()["error"]) == (409, "number_exists"), self
            return
        assert (response.status_code, response.json().get("state")) == (201, "online"), (
            self,
            response.text,
        )
        self._bury_token()
        self.token = response.json()["token"]
        self._has_started()

    async def put(self, server: Server) -> None:
        change = {"number": self.number, "token_planfix": f"token-{self.chance.random()}"}
        response = await self._call(server, "PUT", "/webhook?wait=60", self._key(), change)

        if self._is_served(response):
            assert response.json() == {"status": "online", "state": "online"}, self
            self._has_started()

    async def delete(self, server: Server) -> None:
        purge = self.chance.random() < 0.3
        named = {"name": CLIENT, "number": self.number, "purge": purge}
        response = await self._call(server, "DELETE", "/webhook", self._key(), named)

        if self._is_served(response):
            assert response.json() == {"status": "offline", "was_running": self.runs}, self
            self.runs = False
        if purge and self.exists:
            self.exists = False
            self._bury_token()
            await self.operator.renew_session(self.number)  # its login was ended with it

    async def restart(self, server: Server) -> None:
        path = f"/numbers/{self.number}/restart"
        response = await self._call(server, "POST", path, self._key())

        if self._is_served(response):
            self._has_started()

    async def kill(self, server: Server) -> None:
        shown = await self._call(server, "GET", f"/numbers/{self.number}", ADMIN_KEY)
        os.kill(shown.json()["worker"]["pid"], signal.SIGKILL)
        self.kills += 1

    async def intrude(self, server: Server) -> None:
        """Try a key that opens nothing, or nothing any more."""
        self.intrusions += 1
        key = self.chance.choice(self.dead_tokens)
        named = {"name": CLIENT, "number": self.number}
        method, path, body = self.chance.choice(
            [
                ("GET", f"/webhook?name={CLIENT}&number={self.number}", None),
                ("PUT", "/webhook", {"number": self.number, "token_planfix": "stolen"}),
                ("DELETE", "/webhook", {**named, "purge": True}),
                ("POST", "/webhook", {**named, "url_planfix": "http://x/", "token_planfix": "x"}),
                ("POST", f"/numbers/{self.number}/restart", None),
            ]
        )
        response = await self._call(server, method, path, key, body)

        assert response.status_code == 401, (self, method, path, response.text)

    async def _call(
        self, server: Server, method: str, path: str, key: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        return await self.operator.call(server, method, path, key, body)

    def _key(self) -> str:
        """Choose a key that may do anything with this number."""
        return self.chance.choice([ADMIN_KEY, self.token]) if self.exists else ADMIN_KEY

    def _is_served(self, response: httpx.Response) -> bool:
        assert response.status_code == (200 if self.exists else 404), (self, response.text)
        return self.exists

    def _has_started(self) -> None:
        self.exists = self.runs = True
        self.kills = 0

    def _bury_token(self) -> None:
        if self.token:
            self.dead_tokens.append(self.token)
        self.token = ""
