"""Finds the address of the caller behind trusted proxies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address

UNIX = "unix"
NOWHERE = "local"  # a peer without an address, as on a Unix socket
_SUBSCRIBER = 64  # bits of an IPv6 address; a caller can choose the other bits freely
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::\d{1,5})?|(?P<four>[\d.]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The peers whose `X-Forwarded-For` is believed."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def has(self, address: Address | None) -> bool:
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


def parse_proxies(text: str) -> Proxies:
    """Read addresses, networks and `unix`, separated by commas; raise ValueError for anything else."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    networks = tuple(ip_network(name) for name in names if name != UNIX)
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("a network of all addresses would let every caller choose its own address")
    return Proxies(networks, UNIX in names)


def find_caller(peer: str | None, forwarded: Iterable[str], proxies: Proxies) -> str:
    """Follow the trusted proxies back from the peer; return the first address that is not a proxy."""
    address = _read(peer or "")
    hops = [hop for line in forwarded for hop in line.split(",")]
    # Entries that a stranger wrote are left of those that our proxies added.
    while hops and proxies.has(address):
        before = _read(hops.pop())
        if before is None:
            break
        address = before
    return NOWHERE if address is None else str(address)


def neighbourhood(address: str) -> str:
    """Return the unit for which guesses are counted: an IPv4 address or an IPv6 /64 network."""
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _SUBSCRIBER), strict=False))
    return address


def _read(text: str) -> Address | None:
    text = text.strip().strip('"')
    if found := _WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
