"""The gateway as its users meet it: a real server, real workers, the sandbox on the other side."""

from __future__ import annotations
