"""The other side of the gateway on loopback, for the demo and for tests."""

from __future__ import annotations
