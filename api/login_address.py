"""The address of a number's login page."""

from __future__ import annotations

from api.context import context


def login_url(secret: str) -> str:
    return f"{context().settings.public_url}/login/{secret}/"
