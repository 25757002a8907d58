"""What `make bench` runs."""

from __future__ import annotations
