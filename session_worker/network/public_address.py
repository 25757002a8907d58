"""Which addresses a stranger's link may lead to."""

from __future__ import annotations

from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
# Python (before 3.12.4, or still) takes these for public. The clouds of Oracle and Azure answer
# their own machines there, relays of 6to4 belong to anybody, and documentation addresses to nobody.
_NOT_OPEN = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("3fff::/20"),
)


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, in whatever form it is written."""
    try:
        found = ip_address(address.partition("%")[0])
    except (AddressValueError, ValueError):
        return False
    if isinstance(found, IPv6Address):
        return _is_public_6(found)
    return _is_open(found)


def _is_public_6(found: IPv6Address) -> bool:
    inside = found.ipv4_mapped or found.sixtofour
    if inside is not None:
        return _is_open(inside)
    is_wrapped = found in _COMPATIBLE or any(found in network for network in _TRANSLATED)
    return not (is_wrapped or found.teredo or found.is_site_local) and _is_open(found)


def _is_open(found: IPv4Address | IPv6Address) -> bool:
    is_inside = found.is_multicast or found.is_reserved or any(found in net for net in _NOT_OPEN)
    return found.is_global and not is_inside
