"""Encryption of MTProto 2.0 messages under an authorization key."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from telethon.crypto import AES

_HEADER = struct.Struct("<qqqii")
_KEY_PREFIX = 24
_PADDING = range(12, 1025)


class PacketBroken(Exception):
    """The packet was not sealed under this key."""


@dataclass(frozen=True, slots=True)
class PacketContent:
    """The content of one encrypted packet."""

    salt: int
    session_id: int
    message_id: int
    seq_no: int
    body: bytes


def seal(auth_key: Any, inner: PacketContent, *, from_client: bool = False) -> bytes:
    """Encrypt a message to the other side."""
    length = _HEADER.size + len(inner.body)
    padding = os.urandom(-(length + 12) % 16 + 12)
    header = _HEADER.pack(
        inner.salt, inner.session_id, inner.message_id, inner.seq_no, len(inner.body)
    )
    plain = header + inner.body + padding
    message_key = _message_key(auth_key.key, plain, from_client=from_client)
    cipher = _cipher(auth_key.key, message_key, from_client=from_client)
    encrypted: bytes = AES.encrypt_ige(plain, *cipher)
    key_id: bytes = struct.pack("<Q", auth_key.key_id)
    return key_id + message_key + encrypted


def unseal(auth_key: Any, packet: bytes, *, from_client: bool = True) -> PacketContent:
    """Decrypt a message of the other side; raise PacketBroken if anything is wrong."""
    message_key, encrypted = packet[8:_KEY_PREFIX], packet[_KEY_PREFIX:]
    if len(encrypted) < _HEADER.size or len(encrypted) % 16:
        raise PacketBroken("not whole blocks")
    cipher = _cipher(auth_key.key, message_key, from_client=from_client)
    plain = AES.decrypt_ige(encrypted, *cipher)
    if _message_key(auth_key.key, plain, from_client=from_client) != message_key:
        raise PacketBroken("wrong message key")
    salt, session_id, message_id, seq_no, length = _HEADER.unpack_from(plain)
    if length < 4 or len(plain) - _HEADER.size - length not in _PADDING:
        raise PacketBroken("wrong length")
    body = plain[_HEADER.size : _HEADER.size + length]
    return PacketContent(salt, session_id, message_id, seq_no, body)


def key_id_of(packet: bytes) -> int:
    """Return the id of the key that a packet is sealed under; 0 means none."""
    if len(packet) < 8:
        raise PacketBroken("too short for a key id")
    key_id: int = struct.unpack_from("<Q", packet)[0]
    return key_id


def _message_key(key: bytes, plain: bytes, *, from_client: bool) -> bytes:
    start = 88 if from_client else 96
    return sha256(key[start : start + 32] + plain).digest()[8:24]


def _cipher(key: bytes, message_key: bytes, *, from_client: bool) -> tuple[bytes, bytes]:
    x = 0 if from_client else 8
    a = sha256(message_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + message_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
