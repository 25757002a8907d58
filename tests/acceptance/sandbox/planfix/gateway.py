"""The gateway as Planfix sees it: a webhook that keeps what it is told, links to files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from quart import Quart, Response, redirect, request

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Redirect

FORM = "application/x-www-form-urlencoded"


@dataclass
class Gateway:
    """Answers calls as told, keeps their forms as pairs in order."""

    url: str
    status: int = 200
    answer: Any = None
    calls: list[list[tuple[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    may_serve: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def webhook(self) -> str:
        return f"{self.url}/webhook/message"

    def link(self, name: str) -> str:
        return f"{self.url}/files/{name}"


def make_app(gateway: Gateway) -> Quart:
    app = Quart(__name__)

    @app.post("/webhook/message")
    async def take() -> Any:
        assert request.headers["Content-Type"] == FORM
        body = await request.get_data(cache=False, as_text=True, parse_form_data=False)
        gateway.calls.append(parse_qsl(body, keep_blank_values=True, strict_parsing=True))
        return (gateway.answer if gateway.answer is not None else {}), gateway.status

    @app.get("/files/<name>")
    async def give(name: str) -> Response | Redirect:
        gateway.asked.append(name)
        if name == "moved":
            return redirect("/files/a.txt")
        if name == "gone":
            return Response("no", 404)
        if name == "late":
            await gateway.may_serve.wait()
        return Response(f"content of {name}".encode())

    return app
