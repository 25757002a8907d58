"""Secrets at rest: values and data keys are sealed, links get keys of their own, tokens are hashed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from supervisor.errors import SealBroken, SecretKeyMalformed, SecretKeyWrong

if TYPE_CHECKING:
    from collections.abc import Sequence


_KEY_BYTES = 32
NONCE_BYTES = 12
_FORMAT = b"\x01"
NONCE: Final = slice(len(_FORMAT), len(_FORMAT) + NONCE_BYTES)
"""The part of what a data key has sealed that is different each time."""
_CHECK = b"telefix"
KEY_ID_BYTES = 8


class Cell(NamedTuple):
    """The place where a secret is stored; a secret sealed for one cell opens in no other."""

    table: str
    row: str
    column: str

    def as_associated_data(self) -> bytes:
        return json.dumps(self).encode()


_CHECK_CELL = Cell("gateway", "1", "key_check")


class DataKey:
    """Seals the secrets of one number."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, cell: Cell, plain: bytes) -> bytes:
        return _FORMAT + _seal(self._cipher, cell, plain)

    def open(self, cell: Cell, sealed: bytes) -> bytes:
        if sealed[:1] != _FORMAT:
            raise SealBroken(f"{cell.table}.{cell.column}")
        return _open(self._cipher, cell, sealed[1:])


class Vault:
    """Wraps data keys with the first key of SECRET_KEY, and unwraps them with any of its keys."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self.key_ids = tuple(self._ciphers)
        self.current_key_id = _key_id(keys[0])

    @classmethod
    def from_secret_key(cls, text: str) -> Self:
        return cls(parse_secret_key(text))

    def new_data_key(self, number: str) -> bytes:
        return self._wrap(_data_key_cell(number), os.urandom(_KEY_BYTES))

    def open_data_key(self, number: str, wrapped: bytes) -> DataKey:
        return DataKey(self._unwrap(_data_key_cell(number), wrapped))

    def rewrap_data_key(self, number: str, wrapped: bytes) -> bytes:
        """Return the same data key under the first key of SECRET_KEY."""
        cell = _data_key_cell(number)
        return self._wrap(cell, self._unwrap(cell, wrapped))

    def key_check(self) -> bytes:
        """Return a value that later proves that SECRET_KEY is still the same."""
        return self._wrap(_CHECK_CELL, _CHECK)

    def require_key_of(self, key_check: bytes) -> None:
        """Raise `SecretKeyWrong` unless the check was made with one of our keys."""
        self._unwrap(_CHECK_CELL, key_check)

    def is_current(self, wrapped: bytes) -> bool:
        return wrapped[:KEY_ID_BYTES] == self.current_key_id

    def _wrap(self, cell: Cell, plain: bytes) -> bytes:
        return self.current_key_id + _seal(self._ciphers[self.current_key_id], cell, plain)

    def _unwrap(self, cell: Cell, wrapped: bytes) -> bytes:
        cipher = self._ciphers.get(wrapped[:KEY_ID_BYTES])
        if cipher is None:
            raise SecretKeyWrong
        return _open(cipher, cell, wrapped[KEY_ID_BYTES:])


def parse_secret_key(text: str) -> list[bytes]:
    """Return the keys of SECRET_KEY, the newest first."""
    parts = [part.strip() for part in text.split(",")]
    return [_parse_key(part, f"key {place} of {len(parts)}") for place, part in enumerate(parts, 1)]


def _parse_key(text: str, place: str) -> bytes:
    try:
        key = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", True)
    except (binascii.Error, ValueError) as exc:
        raise SecretKeyMalformed(f"{place} is not URL-safe base64") from exc
    if len(key) != _KEY_BYTES:
        raise SecretKeyMalformed(f"{place} has {len(key)} bytes")
    return key


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"telefix key id" + key).digest()[:KEY_ID_BYTES]


def _data_key_cell(number: str) -> Cell:
    return Cell("number", number, "data_key")


def _seal(cipher: AESGCM, cell: Cell, plain: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, cell.as_associated_data())


def _open(cipher: AESGCM, cell: Cell, sealed: bytes) -> bytes:
    nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, body, cell.as_associated_data())
    except (InvalidTag, ValueError) as exc:  # ValueError: too short to contain a nonce
        raise SealBroken(f"{cell.table}.{cell.column}") from exc


_LINKS = b"telefix file links"
_CLUSTER = b"telefix cluster"
_ALARMS = b"telefix alarms"


def link_keys(secret_key: str) -> list[bytes]:
    """Derive the keys of links from SECRET_KEY, the newest first."""
    return [_derive(key, _LINKS) for key in parse_secret_key(secret_key)]


def alarm_keys(secret_key: str) -> list[bytes]:
    """Derive the keys that sign alarms from SECRET_KEY, the newest first."""
    return [_derive(key, _ALARMS) for key in parse_secret_key(secret_key)]


def cluster_keys(secret_key: str) -> list[str]:
    """Derive from SECRET_KEY what nodes show each other, the newest first."""
    return [_derive(key, _CLUSTER).hex() for key in parse_secret_key(secret_key)]


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


def rsa_public_key(pem: bytes) -> str:
    """Return an RSA public key in PKCS#1, the form that Telethon reads; raise ValueError if it is none."""
    # Imported late: only a gateway with another data centre than Telegram's needs it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    key = load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError(type(key).__name__)  # noqa: TRY004 - the text is wrong, not its type
    return key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()


_NO_HASH = bytes(32)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    # Plain SHA-256: 256 random bits cannot be guessed, so a key would add nothing, and a hash that
    # depends on SECRET_KEY would become invalid when SECRET_KEY is changed.
    return hashlib.sha256(token.encode(errors="replace")).digest()


def hash_login(auth_key: bytes) -> bytes:
    # Plain SHA-256, as of tokens: nobody can guess 2048 random bits.
    return hashlib.sha256(b"telefix login" + auth_key).digest()


def is_token(token: str, stored_hash: bytes | None) -> bool:
    """Compare in constant time; a missing hash takes as long as a wrong token."""
    same = hmac.compare_digest(hash_token(token), stored_hash or _NO_HASH)
    return same and stored_hash is not None
