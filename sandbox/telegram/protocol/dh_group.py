"""The Diffie-Hellman group of the protocol, on which passwords rest too."""

from __future__ import annotations

import secrets

# Clients accept this well-known safe prime at once; any other costs them a long primality test.
PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F"
    "48198A0AA7C14058229493D22530F4DBFA336F6E0AC925139543AED44CCE7C37"
    "20FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4"
    "A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754"
    "FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F"
    "0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
GENERATOR = 3
_MARGIN = 1 << (2048 - 64)


def make_exponent() -> int:
    """Draw a secret exponent; 256 bits suffice in a safe prime group, cost 2 ms instead of 17."""
    return secrets.randbits(256) | 1 << 255


def is_safe(element: int) -> bool:
    """Tell whether a public element lies in the range the protocol demands."""
    return _MARGIN <= element <= PRIME - _MARGIN


def to_bytes(element: int) -> bytes:
    return element.to_bytes(256, "big")
