"""Tests of the data centre in its parts."""

from __future__ import annotations
