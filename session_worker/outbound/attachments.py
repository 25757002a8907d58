"""Fetches what employees attach, from links that may lead only where they should."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from session_worker.failures import STORAGE_FAILING, Cause, is_of_storage
from session_worker.network.guarded_transport import (
    LARGEST_PORT,
    AddressForbidden,
    GuardedBackend,
    guarded_transport,
    look_up,
    place_of,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpcore

    from session_worker.network.guarded_transport import LookUp, Place

SCHEMES = ("http", "https")
MOST_REDIRECTS = 5
PIECE = 256 << 10
LONGEST_DETAIL = 200  # characters


class FetchFailed(Exception):
    """A file could not be fetched."""

    code = "LINK_UNREACHABLE"

    @property
    def cause(self) -> Cause:
        return Cause(self.code, str(self))


class LinkForbidden(FetchFailed):
    """The link leads to a place that the gateway does not access."""

    code = "LINK_FORBIDDEN"


class LinkGone(FetchFailed):
    """The file does not exist, or we may not have it."""

    code = "LINK_GONE"


class FileTooLarge(FetchFailed):
    """The file is larger than the gateway accepts."""

    code = "FILE_TOO_LARGE"


class FileEmpty(FetchFailed):
    """The file is empty, and Telegram rejects empty files."""

    code = "FILE_EMPTY"


class LinkUnreachable(FetchFailed):
    """The server did not answer as it should; it may do so later."""


class StorageFailing(FetchFailed):
    """There was no place for the file on our disk; there may be some later."""

    code = STORAGE_FAILING


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is fetched and how long it may take; times are in seconds."""

    size: int = 200 << 20
    whole: float = 600.0
    connect: float = 10.0
    silence: float = 30.0
    # A link may be used before the file behind it is ready.
    pauses_when_missing: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)


class Fetcher:
    """Fetches files for one client, from public addresses or from the client's own Planfix."""

    def __init__(
        self,
        url_planfix: str,
        tls: ssl.SSLContext,
        *,
        limits: Limits | None = None,
        look_up: LookUp = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._own = _origin(httpx.URL(url_planfix))
        self._tls = tls
        self._limits = limits or Limits()
        self._backend = GuardedBackend(self._own[1], look_up=look_up, inner=network)

    async def fetch(self, url: str, target: Path) -> None:
        """Fetch a file to ``target`` or raise FetchFailed; a target that exists is kept."""
        if await asyncio.to_thread(target.exists):
            return
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        except OSError as exc:
            raise _failure_of(exc) from exc
        for pause in (*self._limits.pauses_when_missing, None):
            try:
                await self._try(url, target)
            except LinkGone:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _try(self, url: str, target: Path) -> None:
        """Fetch once, and translate foreign errors into ours."""
        try:
            async with asyncio.timeout(self._limits.whole), self._client() as client:
                await self._follow(client, url, target)
        except AddressForbidden as exc:
            raise LinkForbidden(str(exc)) from exc
        except (httpx.InvalidURL, LookupError, ValueError, OverflowError) as exc:
            raise LinkForbidden(f"not a link: {exc}"[:LONGEST_DETAIL]) from exc
        except TimeoutError as exc:
            raise LinkUnreachable(f"not fetched within {self._limits.whole:g} s") from exc
        except (httpx.HTTPError, OSError) as exc:
            raise _failure_of(exc) from exc

    def _client(self) -> httpx.AsyncClient:
        """Make a new client for each link, so that no cookie passes from one link to another."""
        return httpx.AsyncClient(
            transport=guarded_transport(self._backend, self._tls),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._limits.silence, connect=self._limits.connect),
            headers={"Accept-Encoding": "identity"},
            event_hooks={"request": [self._check]},
        )

    async def _check(self, request: httpx.Request) -> None:
        """Check each request, including redirected ones; the address is checked at the socket."""
        scheme, place = _origin(request.url)
        if scheme not in SCHEMES:
            raise LinkForbidden(f"links of the kind {scheme!r} are not followed")
        if request.url.userinfo:
            raise LinkForbidden("a link with a user name in it")
        if request.url.port is not None and not 0 < request.url.port <= LARGEST_PORT:
            raise LinkForbidden("a link to a port that does not exist")
        if place == self._own[1] and scheme != self._own[0]:
            raise LinkForbidden(f"{request.url.host} must not be called by {scheme}")

    async def _follow(self, client: httpx.AsyncClient, url: str, target: Path) -> None:
        """Follow redirects without reading their bodies, which the library would decompress."""
        request = client.build_request("GET", url)
        for _ in range(1 + MOST_REDIRECTS):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    await self._download(response, target)
                    return
                request = response.next_request
            finally:
                await response.aclose()
        raise LinkUnreachable("redirected too often")

    async def _download(self, response: httpx.Response, target: Path) -> None:
        _check_answer(response)
        if int(response.headers.get("Content-Length", 0)) > self._limits.size:
            raise FileTooLarge(f"over {self._limits.size} bytes")
        unfinished = target.with_suffix(".part")
        if not await self._save(_pieces(response), unfinished):
            raise FileEmpty("no bytes")
        await asyncio.to_thread(unfinished.replace, target)

    async def _save(self, pieces: AsyncIterator[bytes], path: Path) -> int:
        """Write the pieces as they arrive and return the number of bytes."""
        size = 0
        file: Any = await asyncio.to_thread(path.open, "wb")
        try:
            async for piece in pieces:
                size += len(piece)
                if size > self._limits.size:
                    raise FileTooLarge(f"over {self._limits.size} bytes")
                await asyncio.to_thread(file.write, piece)
        finally:
            await asyncio.to_thread(file.close)
        return size


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body in pieces that are large enough to be worth a write."""
    stream = response.extensions["network_stream"]
    piece = bytearray()
    async for part in response.aiter_raw():
        stream.earn(len(part))
        piece += part
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _check_answer(response: httpx.Response) -> None:
    status = response.status_code
    if status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS} or status >= 500:
        raise LinkUnreachable(f"answered with {status}")
    if status != httpx.codes.OK:
        raise LinkGone(f"answered with {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise LinkUnreachable("encoded in a way that was not asked for")


def _failure_of(error: httpx.HTTPError | OSError) -> FetchFailed:
    kind = StorageFailing if is_of_storage(error) else LinkUnreachable
    return kind(f"{type(error).__name__}: {error}")


def _origin(url: httpx.URL) -> tuple[str, Place]:
    return url.scheme, place_of(url)
