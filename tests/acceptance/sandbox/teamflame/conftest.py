"""A sandbox that all tests of this folder share, and a workspace for each test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.sandbox import Sandbox
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from sandbox.telegram.protocol.server_key import ServerKey

ANNA = {"email": "anna@example.com", "password": "anna-secret", "first_name": "Anna"}
BORIS = {"email": "boris@example.com", "password": "boris-secret", "first_name": "Boris"}
CARL = {"email": "carl@example.com", "password": "carl-secret", "first_name": "Carl"}
WORKSPACE: dict[str, Any] = {
    "people": [ANNA, BORIS, CARL],
    "spaces": [
        {
            "name": "Bakery",
            "people": ["anna@example.com", "boris@example.com"],
            "projects": [
                {
                    "name": "Shop",
                    "key": "SHP",
                    "boards": [{"name": "Week", "tasks": [{"name": "Bake", "column": "Готово"}]}],
                }
            ],
        },
        {"name": "Secret", "people": ["carl@example.com"], "projects": [{"name": "Own"}]},
    ],
}
_numbers = count(1)


@dataclass
class Workspace:
    """Calls one workspace, as its service and as the sandbox's control."""

    http: httpx.AsyncClient
    name: str
    token: str = ""

    async def sign_in(self, who: dict[str, str]) -> dict[str, Any]:
        keys = {"email": who["email"], "password": who["password"]}
        response = await self.http.post(f"/teamflame/{self.name}/auth/auth/sign-in", json=keys)
        body: dict[str, Any] = response.raise_for_status().json()
        self.token = body["tokens"]["accessToken"]["token"]
        return body

    async def call(self, method: str, path: str, **fields: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"/teamflame/{self.name}/api/{path}"
        return await self.http.request(method, url, json=fields or None, headers=headers)

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).raise_for_status().json()

    async def control(self, method: str, path: str = "", **fields: Any) -> Any:
        url = f"/teamflame/{self.name}{path}"
        response = await self.http.request(method, url, json=fields or None)
        return response.raise_for_status().json()


@pytest.fixture
async def http(server_key: ServerKey) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        Sandbox(server_key=server_key) as sandbox,
        caller(sandbox.http_url) as client,
    ):
        yield client


@pytest.fixture
async def workspace(http: httpx.AsyncClient) -> Workspace:
    made = Workspace(http, f"w{next(_numbers)}")
    await made.control("PUT", **WORKSPACE)
    return made
