"""Addresses of Planfix and of proxies, as callers give them: which are accepted, and why others are not."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from api.requests.body import Text
from session_worker.protocol.proxy import Proxy, parse_proxy

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
    return None if is_public_host(parts.hostname or "") else "must point to a public address"


def _split(url: str) -> SplitResult | None:
    if not _ONLY_VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def is_public_host(host: str) -> bool:
    """Tell whether a host looks public; a name is not resolved."""
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


def _fit_address(url: str, info: ValidationInfo) -> str:
    reason = objection(url, allow_private=bool((info.context or {}).get("allow_private_planfix")))
    if reason:
        raise ValueError(reason)
    return url


def _proxy(value: Any, info: ValidationInfo) -> Proxy:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic reports only this kind
    may_be_private = bool((info.context or {}).get("allow_private_proxy"))
    proxy = parse_proxy(value.strip(), may_be_private=may_be_private)
    if not may_be_private and not is_public_host(proxy.host):
        raise ValueError("must point to a public address")
    return proxy


PlanfixAddress = Annotated[
    Text,
    Field(min_length=1, max_length=2000, examples=["https://example.planfix.com/webchat/api"]),
    AfterValidator(_fit_address),
]
ProxyAddress = Annotated[
    Proxy,
    BeforeValidator(_proxy),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 2000,
            "description": "the proxy through which the number connects to Telegram",
            "examples": ["socks5://user:password@proxy.example.com:1080"],
        }
    ),
]
