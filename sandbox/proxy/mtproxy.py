"""An MTProxy, which checks the first 64 bytes of a client and obfuscates its traffic again for the data centre."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from sandbox.proxy.server import HOST, ClientRefused, OnwardConnection, ProxyServer
from sandbox.telegram.protocol.framing import (
    ABRIDGED_TAG,
    INTERMEDIATE_TAG,
    OBFUSCATION_HEADER,
    PADDED_TAG,
    ctr,
)

if TYPE_CHECKING:
    from sandbox.proxy.server import ProxiedConnection, Stream

SECRET = 16  # bytes
MARKS = (0xDD, 0xEE)  # the first byte of a longer secret
TAGS = frozenset({ABRIDGED_TAG * 4, INTERMEDIATE_TAG, PADDED_TAG})
_RESERVED = (b"PVrG", b"GET ", b"POST", b"HEAD", INTERMEDIATE_TAG, PADDED_TAG, b"\x16\x03\x01\x02")


def make_secret() -> bytes:
    """Make a secret that no client mistakes for a longer one, which begins with a mark."""
    while (made := secrets.token_bytes(SECRET))[0] in MARKS:
        pass
    return made


class Mtproxy(ProxyServer):
    """Connects clients that know the secret to one data centre, whichever one they ask for."""

    kind = "mtproxy"

    def __init__(self, data_centre: tuple[str, int], secret: bytes | None = None) -> None:
        super().__init__()
        self.data_centre = data_centre
        self.secret = secret or make_secret()
        self.is_padded = True

    @property
    def url(self) -> str:
        return f"mtproxy://{'dd' * self.is_padded}{self.secret.hex()}@{HOST}:{self.port}"

    async def lead(self, near: Stream, connection: ProxiedConnection) -> OnwardConnection:
        header = await near.reader.readexactly(OBFUSCATION_HEADER)
        mirrored = header[55:7:-1]
        uncover = ctr(sha256(header[8:40] + self.secret).digest(), header[40:56])
        cover = ctr(sha256(mirrored[:32] + self.secret).digest(), mirrored[32:48])
        tag = uncover(header)[56:60]
        if tag not in TAGS:
            await self._turn_away(near)
        far = await self.connect(connection, *self.data_centre)
        ours = draw_header(tag)
        mirrored = ours[55:7:-1]
        cover_on, uncover_back = ctr(ours[8:40], ours[40:56]), ctr(mirrored[:32], mirrored[32:48])
        far.writer.write(ours[:56] + cover_on(ours)[56:])
        return OnwardConnection(
            far,
            onward=lambda data: cover_on(uncover(data)),
            back=lambda data: cover(uncover_back(data)),
        )

    async def _turn_away(self, near: Stream) -> None:
        """Discard what a client without the secret sends until it disconnects, as the real proxy does."""
        await near.reader.read()
        raise ClientRefused("does not know the secret")


def draw_header(tag: bytes) -> bytes:
    """Draw the first 64 bytes of an obfuscated connection that carries this transport, before encryption."""
    while True:
        drawn = os.urandom(OBFUSCATION_HEADER)
        if drawn[:1] != ABRIDGED_TAG and drawn[:4] not in _RESERVED and drawn[4:8] != bytes(4):
            return drawn[:56] + tag + drawn[60:]
