"""The data centre's RSA key, with both ways in which clients pad what they encrypt to it."""

from __future__ import annotations

import struct
from hashlib import sha1, sha256
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from telethon.crypto import AES
from telethon.tl import TLObject


class UnsealableSecret(Exception):
    """The bytes were not encrypted to this key."""


class ServerKey:
    """An RSA key pair made at start."""

    def __init__(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._numbers = private.private_numbers()
        self.public_pem = (
            private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
        )
        self.fingerprint = _fingerprint(self._numbers.public_numbers)

    def unseal(self, secret: bytes) -> tuple[bytes, bytes]:
        """Return the hash and the padded data that the client put together."""
        number = int.from_bytes(secret, "big")
        if not 0 < number < self._numbers.public_numbers.n:
            raise UnsealableSecret("not a number below the modulus")
        block = self._decrypt(number).to_bytes(256, "big")
        data = _unpad(block)
        if data is None:
            # The older padding: a zero byte, the SHA-1 of the data, the data, random bytes.
            return block[1:21], block[21:]
        return b"", data

    def _decrypt(self, number: int) -> int:
        own = self._numbers
        by_p, by_q = pow(number, own.dmp1, own.p), pow(number, own.dmq1, own.q)
        return by_q + own.q * (own.iqmp * (by_p - by_q) % own.p)


def _unpad(block: bytes) -> bytes | None:
    """Undo RSA_PAD, the padding of current clients."""
    masked, encrypted = block[:32], block[32:]
    mask = sha256(encrypted).digest()
    key = bytes(a ^ b for a, b in zip(masked, mask, strict=True))
    plain = cast("bytes", AES.decrypt_ige(encrypted, key, bytes(32)))
    data = plain[:192][::-1]
    return data if sha256(key + data).digest() == plain[192:] else None


def _fingerprint(public: rsa.RSAPublicNumbers) -> int:
    fields = (_minimal(public.n), _minimal(public.e))
    digest = sha1(b"".join(map(TLObject.serialize_bytes, fields)), usedforsecurity=False).digest()
    return cast("int", struct.unpack("<q", digest[-8:])[0])


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
