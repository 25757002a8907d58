"""Tests of the Planfix account."""

from __future__ import annotations
