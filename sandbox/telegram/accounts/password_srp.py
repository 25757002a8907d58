"""Two-step passwords: the server's half of SRP as Telegram uses it."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from telethon.password import compute_digest
from telethon.tl import types

from sandbox.telegram.protocol import dh_group


@dataclass(frozen=True, slots=True)
class Password:
    """What the server knows of a password: enough to check it, too little to tell it."""

    algorithm: Any
    verifier: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's half of one password check."""

    id: int
    password: Password
    exponent: int
    public: int


def make_algorithm() -> Any:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        os.urandom(8), os.urandom(16), dh_group.GENERATOR, dh_group.to_bytes(dh_group.PRIME)
    )


def make_password(password: str, hint: str = "") -> Password:
    """Make what the server keeps of a password; takes a tenth of a second by design."""
    algorithm = make_algorithm()
    return Password(algorithm, int.from_bytes(compute_digest(algorithm, password), "big"), hint)


def make_challenge(password: Password) -> Challenge:
    exponent = dh_group.make_exponent()
    power = pow(dh_group.GENERATOR, exponent, dh_group.PRIME)
    public = (_multiplier() * password.verifier + power) % dh_group.PRIME
    return Challenge(secrets.randbits(62), password, exponent, public)


def is_answered(challenge: Challenge, check: Any) -> bool:
    """Tell whether the client's proof shows knowledge of the password."""
    client_public = int.from_bytes(check.A, "big")
    if not dh_group.is_safe(client_public):
        return False
    a, b = dh_group.to_bytes(client_public), dh_group.to_bytes(challenge.public)
    scrambler = int.from_bytes(_hash(a, b), "big")
    root = client_public * pow(challenge.password.verifier, scrambler, dh_group.PRIME)
    shared = pow(root, challenge.exponent, dh_group.PRIME)
    proof = _proof(challenge.password.algorithm, a + b + _hash(dh_group.to_bytes(shared)))
    return secrets.compare_digest(proof, check.M1)


def _proof(algorithm: Any, exchanged: bytes) -> bytes:
    prime = _hash(dh_group.to_bytes(dh_group.PRIME))
    generator = _hash(dh_group.to_bytes(dh_group.GENERATOR))
    mixed = bytes(x ^ y for x, y in zip(prime, generator, strict=True))
    return _hash(mixed, _hash(algorithm.salt1), _hash(algorithm.salt2), exchanged)


def _multiplier() -> int:
    parts = dh_group.to_bytes(dh_group.PRIME), dh_group.to_bytes(dh_group.GENERATOR)
    return int.from_bytes(_hash(*parts), "big")


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()
