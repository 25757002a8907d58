"""A Telegram data centre that speaks real MTProto 2.0 to unmodified clients."""

from __future__ import annotations
