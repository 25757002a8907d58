"""The operator's calls in acceptance tests."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from tests.support.session_files import write_session_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import httpx

    from tests.acceptance.api.server import Server

ADMIN_KEY = "operators-key-of-the-acceptance-tests"
SECRET_KEY = urlsafe_b64encode(bytes(range(32))).decode()
CLIENT = "Romashka"


def settings_of(folder: Path, sandbox: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a gateway that keeps its data in this folder and calls the sandbox."""
    return {
        "ADMIN_KEY": ADMIN_KEY,
        "SECRET_KEY": SECRET_KEY,
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "hash-of-the-acceptance-tests",
        "TELEGRAM_DC": sandbox["TELEGRAM_DC"],
        "TELEGRAM_DC_KEY": sandbox["TELEGRAM_DC_KEY"],
        "DATA_DIR": str(folder / "data"),
        "ALLOW_PRIVATE_PLANFIX": "1",
    }


class Operator:
    """Calls the gateway, arranges things in the sandbox."""

    def __init__(self, http: httpx.AsyncClient, sandbox_url: str, session_root: Path) -> None:
        self._http = http
        self._sandbox_url = sandbox_url
        self._session_root = session_root

    async def open_account(self, number: str) -> None:
        await self._control("POST", "/telegram/accounts", phone=number, first_name="Olena")

    async def bring_session(self, number: str) -> None:
        """Open an account, put its session file where clients leave theirs."""
        await self.open_account(number)
        await self.renew_session(number)

    async def renew_session(self, number: str) -> None:
        """Log the account in anew, put that session in the place of an older one."""
        made = await self._control("POST", "/telegram/sessions", phone=number)
        path = self._session_root / f"{number}.session"
        await asyncio.to_thread(write_session_file, path, made["string_session"])

    async def start(self, server: Server, number: str, **fields: Any) -> httpx.Response:
        body = {
            "name": CLIENT,
            "number": number,
            "url_planfix": f"{self._sandbox_url}/planfix/romashka/webchat/api",
            "token_planfix": "planfix-token-of-romashka",
            **fields,
        }
        return await self.call(server, "POST", "/webhook?wait=60", ADMIN_KEY, body)

    async def start_online(self, server: Server, number: str) -> str:
        """Start a number that is logged in; hand back its token."""
        await self.bring_session(number)
        response = await self.start(server, number, name_session=number)
        assert (response.status_code, response.json()["state"]) == (201, "online"), response.text
        token: str = response.json()["token"]
        return token

    async def show(self, server: Server, number: str, token: str) -> httpx.Response:
        return await self._http.request(
            "GET",
            f"{server.url}/webhook",
            params={"name": CLIENT, "number": number},
            headers={"Token": token},
        )

    async def state(self, server: Server, number: str, token: str) -> str:
        return str((await self.show(server, number, token)).json().get("state"))

    async def call(
        self, server: Server, method: str, path: str, key: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await self._http.request(method, server.url + path, json=body, headers=headers)

    async def write(self, sender: str, number: str, text: str) -> None:
        """Let somebody write to a number in Telegram."""
        fields = {"from": sender, "to": number, "text": text}
        await self._control("POST", "/telegram/messages", **fields)

    async def connections(self, number: str) -> dict[str, int]:
        response = await self._http.get(
            f"{self._sandbox_url}/telegram/connections", params={"phone": number}
        )
        counted: dict[str, int] = response.raise_for_status().json()
        return counted

    async def _control(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        response = await self._http.request(method, self._sandbox_url + path, json=fields)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer
