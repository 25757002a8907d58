"""Tests of the data centre with unmodified Telethon clients."""

from __future__ import annotations
