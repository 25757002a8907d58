"""The other side of the gateway on loopback, for demo or tests."""

from __future__ import annotations
