"""The addresses of the API, one module for each kind."""

from __future__ import annotations
