"""The last check before bytes leave: a worker without a lease writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from telethon.network.connection import ConnectionTcpFull

from session_worker.telegram.errors import LeaseLost, TelegramError, Unreachable
from session_worker.telegram.proxied import transport_through

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.proxy import Proxy
    from session_worker.telegram.proxied import HeldLines


class Right(Protocol):
    """A right to speak for a number that may end at any moment."""

    def held(self) -> bool: ...


class DirectConnection(ConnectionTcpFull):  # type: ignore[misc]  # telethon is untyped
    """Telegram's plain TCP transport."""

    def blame(self, error: TelegramError) -> TelegramError:
        """Say whose fault a silence is: there is nobody between us and Telegram."""
        return error


def fenced(
    right: Right, on_lost: Callable[[], None], proxy: Proxy | None, held: HeldLines
) -> type[Any]:
    """Make the connection class of a worker that may write only while it holds the right to."""
    transport = DirectConnection if proxy is None else transport_through(proxy, held)

    class FencedConnection(transport):  # type: ignore[misc, valid-type]  # telethon is untyped
        """A transport behind the lease."""

        async def connect(self, timeout: float | None = None, ssl: Any = None) -> None:  # noqa: ASYNC109 - telethon's name
            try:
                await super().connect(timeout=timeout, ssl=ssl)
            except OSError as error:
                # The library would say no more of it than how often it tried again: never.
                why = error.strerror or str(error) or "no answer in time"
                raise Unreachable(f"no connection to {self._ip}:{self._port}: {why}") from error

        def _send(self, data: bytes) -> None:
            if not right.held():
                on_lost()
                raise LeaseLost
            super()._send(data)

        def abort(self) -> None:
            """Drop the line without waiting for a far end that may be gone."""
            if self._writer is not None:
                self._writer.transport.abort()

    return FencedConnection
