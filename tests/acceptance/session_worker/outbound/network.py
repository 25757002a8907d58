"""A network in which every address leads to this machine, so that nothing outside is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpcore

from session_worker.network.guarded_transport import look_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass
class Network(httpcore.AsyncNetworkBackend):
    """Writes down which addresses were dialled; each is answered at one local port.

    Addresses that are ``dead`` refuse.
    """

    port: int
    dead: set[str] = field(default_factory=set)
    dialled: list[str] = field(default_factory=list)
    _inner: httpcore.AnyIOBackend = field(default_factory=httpcore.AnyIOBackend)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        if host in self.dead:
            raise httpcore.ConnectError("refused")
        return await self._inner.connect_tcp("127.0.0.1", self.port, timeout)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@dataclass
class Names:
    """Answers for names as a test wants, one answer after the other, for others as the system."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        told = self.answers.get(host)
        if told is None:
            return await look_up(host, port)
        return told.pop(0) if len(told) > 1 else told[0]
