"""The server's half of the exchange that gives a client its authorization key."""

from __future__ import annotations

import os
import secrets
import struct
import time
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from telethon.crypto import AES, AuthKey
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from sandbox.telegram.protocol import dh_group
from sandbox.telegram.protocol.server_key import UnsealableSecret
from sandbox.telegram.protocol.tl_codec import MalformedBody, read_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.protocol.server_key import ServerKey

# Small on purpose: clients factor the product in pure Python.
P, Q = 1000003, 1000033
PLAIN_HEADER = struct.Struct("<qqi")
_KEY_LENGTH = 256
_INNER_DATA = (types.PQInnerData, types.PQInnerDataDc)


class ExchangeFailed(Exception):
    """The client does not keep to the exchange."""


class KeyExchange:
    """One client's exchange, from the first nonce to the finished key."""

    def __init__(self, server_key: ServerKey, register: Callable[[Any], object]) -> None:
        self._server_key = server_key
        self._register = register
        self._nonces: tuple[int, int] | None = None
        self._new_nonce: int | None = None
        self._exponent = 0

    def answer(self, packet: bytes) -> bytes:
        """Answer one plain packet; raise ExchangeFailed when it is out of order or forged."""
        try:
            answer = bytes(self._answer(read_object(_plain_body(packet))))
        except (MalformedBody, UnsealableSecret, ValueError) as exc:
            raise ExchangeFailed(str(exc)) from exc
        message_id = (int(time.time()) << 32) | secrets.randbits(20) << 2 | 1
        return PLAIN_HEADER.pack(0, message_id, len(answer)) + answer

    def _answer(self, request: Any) -> Any:
        match request:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest():
                return self._offer(request)
            case functions.ReqDHParamsRequest():
                return self._send_parameters(request)
            case functions.SetClientDHParamsRequest():
                return self._finish(request)
            case _:
                raise ExchangeFailed("not part of the exchange")

    def _offer(self, request: Any) -> Any:
        server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        self._nonces, self._new_nonce = (request.nonce, server_nonce), None
        # Clients read the product as a signed number, so its top bit must stay 0.
        product = (P * Q).to_bytes(8, "big")
        return types.ResPQ(*self._nonces, product, [self._server_key.fingerprint])

    def _send_parameters(self, request: Any) -> Any:
        self._check_nonces(request)
        _require(_factors(request) == (P, Q), "wrong factors")
        _require(request.public_key_fingerprint == self._server_key.fingerprint, "not our key")
        inner = self._unsealed(request.encrypted_data)
        self._check_nonces(inner)
        _require(_factors(inner) == (P, Q), "wrong factors inside")
        self._new_nonce, self._exponent = inner.new_nonce, dh_group.make_exponent()
        public = pow(dh_group.GENERATOR, self._exponent, dh_group.PRIME)
        parameters = types.ServerDHInnerData(
            *self._agreed(),
            dh_group.GENERATOR,
            dh_group.to_bytes(dh_group.PRIME),
            dh_group.to_bytes(public),
            int(time.time()),
        )
        return types.ServerDHParamsOk(*self._agreed(), self._encrypted(bytes(parameters)))

    def _unsealed(self, secret: bytes) -> Any:
        digest, data = self._server_key.unseal(secret)
        inner = read_object(data)
        _require(isinstance(inner, _INNER_DATA), "not the inner data")
        _require(not digest or _sha1(bytes(inner)) == digest, "wrong hash")
        return inner

    def _finish(self, request: Any) -> Any:
        self._check_nonces(request)
        _require(self._new_nonce is not None, "no parameters were sent")
        inner = self._decrypted(request.encrypted_data)
        self._check_nonces(inner)
        public = int.from_bytes(inner.g_b, "big")
        _require(dh_group.is_safe(public), "an unsafe public value")
        secret = pow(public, self._exponent, dh_group.PRIME)
        key = AuthKey(secret.to_bytes((secret.bit_length() + 7) // 8, "big"))
        if len(key.key) != _KEY_LENGTH:
            # Telethon drops leading zero bytes of a key, so such a key can't be kept.
            return types.DhGenRetry(*self._agreed(), key.calc_new_nonce_hash(self._new_nonce, 2))
        self._register(key)
        return types.DhGenOk(*self._agreed(), key.calc_new_nonce_hash(self._new_nonce, 1))

    def _decrypted(self, encrypted: bytes) -> Any:
        _require(len(encrypted) % 16 == 0 and len(encrypted) > 0, "not whole blocks")
        plain = AES.decrypt_ige(encrypted, *self._temporary_key())
        inner = read_object(plain[20:])
        _require(isinstance(inner, types.ClientDHInnerData), "not the client's value")
        _require(_sha1(bytes(inner)) == plain[:20], "wrong hash")
        return inner

    def _encrypted(self, answer: bytes) -> bytes:
        hashed = _sha1(answer) + answer
        padded = hashed + os.urandom(-len(hashed) % 16)
        sealed: bytes = AES.encrypt_ige(padded, *self._temporary_key())
        return sealed

    def _temporary_key(self) -> tuple[bytes, bytes]:
        key, iv = generate_key_data_from_nonce(self._agreed()[1], self._new_nonce)
        return key, iv

    def _agreed(self) -> tuple[int, int]:
        if self._nonces is None:
            raise ExchangeFailed("no exchange was begun")
        return self._nonces

    def _check_nonces(self, request: Any) -> None:
        _require((request.nonce, request.server_nonce) == self._agreed(), "wrong nonces")


def _plain_body(packet: bytes) -> bytes:
    if len(packet) < PLAIN_HEADER.size:
        raise ExchangeFailed("too short")
    *_, length = PLAIN_HEADER.unpack_from(packet)
    _require(0 < length <= len(packet) - PLAIN_HEADER.size, "wrong length")
    return packet[PLAIN_HEADER.size : PLAIN_HEADER.size + length]


def _factors(request: Any) -> tuple[int, int]:
    return int.from_bytes(request.p, "big"), int.from_bytes(request.q, "big")


def _sha1(data: bytes) -> bytes:
    return sha1(data, usedforsecurity=False).digest()


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise ExchangeFailed(reason)
