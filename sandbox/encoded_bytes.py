"""Bytes that arrive as base64 in JSON."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BeforeValidator


def decode(text: object) -> object:
    """Decode base64 strictly; bytes that were made in this process pass unchanged."""
    if not isinstance(text, str):
        return text
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc


EncodedBytes = Annotated[bytes, BeforeValidator(decode)]
