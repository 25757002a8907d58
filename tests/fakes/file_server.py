"""A web server whose answers a test writes itself, good ones and bad ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECE = 64 << 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent for one request.

    ``length`` lies about the body, ``is_slow`` never ends it; with ``is_raw`` the body is all that is sent.
    """

    body: bytes = b""
    status: int = 200
    headers: tuple[str, ...] = ()
    length: int | None = None
    repeat: int = 1
    is_slow: bool = False
    is_raw: bool = False

    def head(self) -> bytes:
        if self.is_raw:
            return b""
        length = len(self.body) * self.repeat if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status} X", f"Content-Length: {length}", "Connection: close"]
        return "\r\n".join((*lines, *self.headers, "", "")).encode()


@dataclass
class FileServer:
    """Answers each path with what it was given, the last answer again and again."""

    answers: dict[str, Sequence[Answer]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def offer(self, name: str, *answers: Answer | bytes) -> str:
        """Put something on offer; its link comes back."""
        made = [each if isinstance(each, Answer) else Answer(each) for each in answers]
        self.answers[f"/{name}"] = made
        return f"{self.url}/{name}"

    def count(self, name: str) -> int:
        return self.requests.count(f"/{name}")

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1].partition("?")[0]
        answers = self.answers.get(path) or [Answer(status=404)]
        answer = answers[min(self.requests.count(path), len(answers) - 1)]
        self.requests.append(path)
        self.heads.append(head)
        writer.write(answer.head())
        for _ in range(answer.repeat):
            writer.write(answer.body)
            await writer.drain()
        if answer.is_slow:
            await reader.read()
