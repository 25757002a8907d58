"""The API in one process, in front of a gateway in memory."""

from __future__ import annotations
