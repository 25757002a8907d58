"""Calls that tests of the API make again and again."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

ADMIN_KEY = "operators-key-of-the-tests"
SECRET_KEY = urlsafe_b64encode(bytes(range(32))).decode()
NUMBER = "380955821319"
FORM = "application/x-www-form-urlencoded"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def draft(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Romashka",
        "number": NUMBER,
        "url_planfix": "https://romashka.planfix.ua/webchat/api",
        "token_planfix": "planfix-token-of-romashka",
        **fields,
    }


async def start(client: TestClientProtocol, **fields: Any) -> str:
    """Start a number; hand back its token."""
    response = await client.post("/webhook", json=draft(**fields), headers=bearer(ADMIN_KEY))
    assert response.status_code == 201, await response.get_data(as_text=True)
    token: str = (await response.get_json())["token"]
    return token


async def fields_at_fault(response: Response) -> set[str]:
    body = await response.get_json()
    assert (response.status_code, body["error"]) == (400, "invalid_request"), body
    return {fault["field"] for fault in body["detail"] if fault["reason"]}
