"""Tests of the connection to Telegram, without one."""

from __future__ import annotations
