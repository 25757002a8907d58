"""Calls as Planfix makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.unit.api.calls import FORM, NUMBER

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

OTHER = "380671112233"
JSON = "application/json"
PARAMETERS = (400, "Invalid parameters")
TOKEN = (401, "Invalid token")
ANSWER = {"chatId": f"{NUMBER}_7001", "contactId": "7001"}
LINK = "https://romashka.planfix.ua/filelink/1"
GOOD = {
    "cmd": "newMessage",
    "providerId": "telegram",
    "channel": NUMBER,
    "chatId": f"{NUMBER}_7001",
    "message": "Добрий день",
    "messageId": "50000001",
    "userName": "Olena",
    "userLastName": "Koval",
    "userIco": "https://romashka.planfix.ua/1.svg",
    "taskEmail": "task+1@romashka.planfix.ua",
    "contactPhone": "380671112233",
    "telegramUserName": "taras_m",
    "telegramUserId": "7001",
}
Fields = dict[str, Any]


async def send(
    client: TestClientProtocol, fields: Fields | list[tuple[str, Any]], token: str | None
) -> Response:
    pairs = list(fields.items()) if isinstance(fields, dict) else fields
    body = urlencode([*pairs, *([("token", token)] if token is not None else [])])
    return await raw(client, body.encode())


async def raw(client: TestClientProtocol, body: bytes, kind: str | None = FORM) -> Response:
    headers = {"Content-Type": kind} if kind else {}
    return await client.post("/webhook/message", data=body, headers=headers)


async def told(response: Response) -> tuple[int, str]:
    return response.status_code, (await response.get_json())["error"]
