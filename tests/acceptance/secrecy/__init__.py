"""Where secrets are after a whole life of the gateway: nowhere."""

from __future__ import annotations
