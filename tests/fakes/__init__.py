"""Stand-ins that keep the promises of what they stand in for."""

from __future__ import annotations
