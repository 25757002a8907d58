"""The proxy through which a number reaches Telegram, as its owner names it."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field

from session_worker.protocol.pipe_fields import Bytes, CommandText, PipeValue

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SECRET = 16  # bytes
PADDED, FAKE_TLS = 0xDD, 0xEE  # the first byte of a longer secret
LONGEST_CREDENTIAL = 255  # bytes; SOCKS5 has one byte for the length
ADDRESS = (
    "must look like socks5://user:password@host:1080, without spaces, and with a port up to 65535"
)
SCHEMES = "must start with socks5://, http:// or mtproxy://"
_ONLY_VISIBLE = re.compile(r"[\x21-\x7e]+")
_HEX = re.compile(r"[0-9a-fA-F]+")


class ProxyMalformed(ValueError):
    """The text does not name a proxy; the reason is given without repeating the text."""


class ProxyKind(StrEnum):
    """The protocol that is spoken to a proxy."""

    SOCKS5 = "socks5"
    HTTP = "http"
    MTPROXY = "mtproxy"


class Proxy(PipeValue):
    """What all connections of a number to Telegram go through; its other connections do not."""

    kind: ProxyKind
    host: CommandText
    port: int
    username: CommandText | None = Field(None, repr=False)
    password: CommandText | None = Field(None, repr=False)
    secret: Bytes = Field(b"", repr=False)
    is_padded: bool = False
    may_be_private: bool = False

    @property
    def place(self) -> str:
        """Return the address without the credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every form in which a credential of the proxy could appear in a log."""
        credentials = [text for text in (self.username, self.password) if text]
        basic = ":".join(credentials).encode()
        return (
            *credentials,
            *map(quote, credentials),
            b64encode(basic).decode(),
            self.secret.hex(),
            repr(self.secret)[2:-1],
            urlsafe_b64encode(self.secret).decode().rstrip("="),
        )


def parse_proxy(text: str, *, may_be_private: bool) -> Proxy:
    """Read `socks5://user:password@host:port`, `http://…` or `mtproxy://secret@host:port`."""
    parts = _split(text)
    kind = _kind_of(parts.scheme)
    username, password = _plain(parts.username), _plain(parts.password)
    secret, is_padded = b"", False
    if kind is ProxyKind.MTPROXY:
        if username is None or password is not None:
            raise ProxyMalformed("must be mtproxy://secret@host:port")
        secret, is_padded = parse_secret(username)
        username = None
    else:
        _check_credentials(kind, username, password)
    return Proxy(
        kind=kind,
        host=parts.hostname or "",
        port=parts.port or 0,
        username=username,
        password=password,
        secret=secret,
        is_padded=is_padded,
        may_be_private=may_be_private,
    )


def parse_secret(text: str) -> tuple[bytes, bool]:
    """Read a secret of MTProxy in hex or base64, and return whether its packets are to be padded.

    An `ee` secret asks for a connection that looks like TLS, which Telethon cannot make. Its key is
    used like that of a `dd` secret, so the proxy must accept `dd` clients too.
    """
    secret = _bytes_of(text)
    if len(secret) == SECRET:
        return secret, False
    if secret[:1] == bytes([PADDED]) and len(secret) == SECRET + 1:
        return secret[1:], True
    if secret[:1] == bytes([FAKE_TLS]) and len(secret) > SECRET:
        return secret[1 : SECRET + 1], True
    raise ProxyMalformed("must have a secret of 16 bytes, in hex or base64, dd or ee before it")


def _bytes_of(text: str) -> bytes:
    if _HEX.fullmatch(text) and len(text) % 2 == 0 and len(text) >= 2 * SECRET:
        return bytes.fromhex(text)
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (Base64Error, ValueError):
        return b""


def _split(text: str) -> SplitResult:
    if not _ONLY_VISIBLE.fullmatch(text) or "\\" in text:
        raise ProxyMalformed(ADDRESS)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ProxyMalformed(ADDRESS) from exc
    _kind_of(parts.scheme)
    if not host or not port:
        raise ProxyMalformed("must name a host and a port")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ProxyMalformed("must end after the port")
    return parts


def _kind_of(scheme: str) -> ProxyKind:
    # socks5h lets the proxy look up names. It is given Telegram's address, so both mean the same.
    if scheme == "socks5h":
        return ProxyKind.SOCKS5
    if scheme not in set(ProxyKind):
        raise ProxyMalformed(SCHEMES)
    return ProxyKind(scheme)


def _plain(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as exc:
        raise ProxyMalformed("must have a user name and a password in UTF-8") from exc


def _check_credentials(kind: ProxyKind, username: str | None, password: str | None) -> None:
    if (username is None) != (password is None):
        raise ProxyMalformed("must have both a user name and a password, or neither")
    for text in (username or "", password or ""):
        if len(text.encode()) > LONGEST_CREDENTIAL:
            raise ProxyMalformed("must have a user name and a password of at most 255 bytes")
        if any(sign < " " for sign in text):
            raise ProxyMalformed("must not contain control characters")
    if kind is ProxyKind.HTTP and ":" in (username or ""):
        raise ProxyMalformed("must have a user name without a colon")
