"""Reads the body of an answer within a limit, even if it comes compressed although that was not asked for."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib finds out which of the two it is
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})


class BodyUnreadable(Exception):
    """The body of an answer is too long, or it is encoded in a way that is not read."""


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body as it is sent and unpack it; raise BodyUnreadable beyond that many bytes."""
    stream = response.extensions["network_stream"]
    body = bytearray()
    # Raw, because a few compressed bytes may expand to more than there is memory.
    async for chunk in response.aiter_raw():
        stream.earn(len(chunk))
        body += chunk
        if len(body) > limit:
            raise _too_long(limit)
    return unpack(bytes(body), response.headers.get("Content-Encoding", ""), limit)


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo one compression that zlib knows, without ever making more than the limit of it."""
    encoding = encoding.strip().lower()
    if not body or encoding in {"", "identity"}:
        return body
    if encoding not in _COMPRESSED:
        raise BodyUnreadable("encoded in a way that was not asked for")
    unpacking = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        unpacked = unpacking.decompress(body, limit + 1)
    except zlib.error as exc:
        raise BodyUnreadable("with a damaged compression") from exc
    if len(unpacked) > limit:
        raise _too_long(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise BodyUnreadable("with a damaged compression")
    return unpacked


def _too_long(limit: int) -> BodyUnreadable:
    return BodyUnreadable(f"with more than {limit} bytes")
