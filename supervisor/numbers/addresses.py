"""Which addresses callers may give: of a Planfix account, and of a proxy."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

from session_worker.protocol.proxy import Proxy, parse_proxy

__all__ = ["Proxy", "is_public_host", "objection", "parse_proxy"]

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_ONLY_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?i)(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".test")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def objection(url: str, *, allow_private: bool) -> str | None:
    """Return why this address is not accepted; what it resolves to is checked when it is called."""
    parts = _split(url)
    if parts is None:
        return "is not a valid URL"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user name or password"
    if allow_private:
        return None
    if parts.scheme != "https":
        return "must start with https://"
    return None if _is_public(parts.hostname or "") else "must point to a public address"


def is_public_host(host: str) -> bool:
    """Tell whether a host looks public; a name is not resolved."""
    return _is_public(host)


def _split(url: str) -> SplitResult | None:
    if not _ONLY_VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _is_public(host: str) -> bool:
    ip = _as_ip(host)
    if ip is not None:
        return _is_global(ip)
    name = host.lower().rstrip(".")
    return bool(_NAME.fullmatch(host)) and "." in name and not name.endswith(_PRIVATE_NAMES)


def _as_ip(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses too.
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _is_global(ip: Ip) -> bool:
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _is_global(inner)
    return ip.is_global and not ip.is_multicast
