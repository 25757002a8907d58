"""A whole sandbox, controlled over HTTP alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from sandbox.sandbox import Sandbox
from tests.support.callers import caller
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from sandbox.telegram.protocol.server_key import ServerKey

ALICE, BOB = "380501110001", "380501110002"


@dataclass
class Control:
    """Makes control calls as a test or the sandbox page does."""

    http: httpx.AsyncClient
    codes: list[str]

    async def ask(self, verb: str, path: str, expected: int = 200, /, **json: Any) -> Any:
        """Make a call with a JSON body; fail unless it is answered with this status."""
        response = await self.http.request(verb, path, json=json or None)
        assert response.status_code == expected, response.text
        return response.json()

    async def write(self, sender: str, recipient: str, **message: Any) -> list[int]:
        order = {"from": sender, "to": recipient} | message
        ids: list[int] = (await self.ask("POST", "/telegram/messages", 201, **order))["ids"]
        return ids

    async def chat(self, owner: str, peer: str) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = await self.ask(
            "GET", f"/telegram/messages?of={owner}&with={peer}"
        )
        return shown

    async def client_of(self, phone: str) -> Any:
        """Make an unmodified client from a session that the sandbox hands out."""
        order = await self.ask("POST", "/telegram/sessions", 201, phone=phone)
        return TelegramClient(
            StringSession(order["string_session"]), 1, "x", retry_delay=0.05, timeout=PATIENCE
        )


@pytest.fixture
async def control(server_key: ServerKey) -> AsyncIterator[Control]:
    codes: list[str] = []
    async with (
        Sandbox(announce_code=codes.append, server_key=server_key) as sandbox,
        caller(sandbox.http_url) as http,
    ):
        rsa.add_key(sandbox.data_centre.public_key_pem, old=False)
        control = Control(http, codes)
        for phone, name in ((ALICE, "Alice"), (BOB, "Bob")):
            person = {"phone": phone, "first_name": name, "username": name.lower() + "_x"}
            await control.ask("POST", "/telegram/accounts", 201, **person)
        yield control
