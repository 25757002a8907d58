"""Addresses that a stranger's link may lead to."""

from __future__ import annotations

import pytest

from session_worker.network.guarded_transport import is_public

PRIVATE = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.5", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::7f00:1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::a00:1", "2002:7f00:1::", "2002:0a00:0001::1", "2001:0:7f00:1::", "2001:db8::1"),
    *("192.0.0.192", "192.0.0.170", "168.63.129.16", "100.100.100.200", "192.88.99.1"),
    *("::ffff:168.63.129.16", "2002:a83f:8110::1", "::ffff:192.0.0.192", "64:ff9b::a9fe:a9fe"),
    *("fd00:ec2::254", "3fff::1", "5f00::1", "100::1", "2001:2::1", "ff0e::1", "0.1.2.3"),
    *("::ffff:0:7f00:1", "2002:a9fe:a9fe::", "no address", "", "1.2.3", "0x7f.1"),
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "2002:0808:0808::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_inside_is_not_public(address: str) -> None:
    """Whatever leads to this machine, its network, or nowhere is refused in every disguise."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_outside_is_public(address: str) -> None:
    """An address on the open internet is accepted."""
    assert is_public(address)
