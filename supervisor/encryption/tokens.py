"""The token of a number: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_NOBODY = bytes(32)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    # Plain SHA-256: nobody can guess 256 random bits, so a key would add nothing,
    # while a hash keyed from SECRET_KEY would die with the key at its rotation.
    return hashlib.sha256(token.encode(errors="replace")).digest()


def is_token(token: str, stored_hash: bytes | None) -> bool:
    """Compare in constant time; no stored hash costs as much as a wrong token."""
    same = hmac.compare_digest(hash_token(token), stored_hash or _NOBODY)
    return same and stored_hash is not None
