"""Makes and checks the tokens of numbers, which are shown once and stored as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_NO_HASH = bytes(32)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    # Plain SHA-256: 256 random bits cannot be guessed, so a key would add nothing, and a hash that
    # depends on SECRET_KEY would become invalid when SECRET_KEY is changed.
    return hashlib.sha256(token.encode(errors="replace")).digest()


def is_token(token: str, stored_hash: bytes | None) -> bool:
    """Compare in constant time; a missing hash takes as long as a wrong token."""
    same = hmac.compare_digest(hash_token(token), stored_hash or _NO_HASH)
    return same and stored_hash is not None
