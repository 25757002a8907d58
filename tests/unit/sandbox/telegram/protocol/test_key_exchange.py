"""The exchange gives a key to clients that keep to it, to nobody else."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from sandbox.telegram.protocol import dh_group
from sandbox.telegram.protocol.key_exchange import PLAIN_HEADER, ExchangeFailed, KeyExchange, P, Q
from sandbox.telegram.protocol.server_key import ServerKey

SERVER_KEY = ServerKey()
NEW_NONCE = int.from_bytes(os.urandom(32), "little", signed=True)


@dataclass
class Client:
    """The client's half, step by step, with values that a test may spoil."""

    keys: list[Any] = field(default_factory=list)
    nonce: int = 5
    server_nonce: int = 0

    def __post_init__(self) -> None:
        self.exchange = KeyExchange(SERVER_KEY, self.keys.append)

    def ask(self, request: Any) -> Any:
        body = bytes(request)
        answer = self.exchange.answer(PLAIN_HEADER.pack(0, 4, len(body)) + body)
        return BinaryReader(answer[PLAIN_HEADER.size :]).tgread_object()

    def begin(self) -> Any:
        offer = self.ask(functions.ReqPqMultiRequest(self.nonce))
        self.server_nonce = offer.server_nonce
        return offer

    def inner(self, *, modern: bool = False) -> bytes:
        fields = ((P * Q).to_bytes(8, "big"), number(P), number(Q), self.nonce, self.server_nonce)
        if modern:
            return bytes(types.PQInnerDataDc(*fields, NEW_NONCE, 2))
        return bytes(types.PQInnerData(*fields, NEW_NONCE))

    def request_parameters(self, secret: bytes, p: int = P, q: int = Q) -> Any:
        fingerprint = SERVER_KEY.fingerprint
        nonces = (self.nonce, self.server_nonce)
        return self.ask(
            functions.ReqDHParamsRequest(*nonces, number(p), number(q), fingerprint, secret)
        )

    def finish(self, parameters: Any, public: int | None = None, hashed: bytes = b"") -> Any:
        key = generate_key_data_from_nonce(self.server_nonce, NEW_NONCE)
        plain = AES.decrypt_ige(parameters.encrypted_answer, *key)
        self.g_a = int.from_bytes(BinaryReader(plain[20:]).tgread_object().g_a, "big")
        self.exponent = dh_group.make_exponent()
        g_b = public or pow(dh_group.GENERATOR, self.exponent, dh_group.PRIME)
        inner = bytes(types.ClientDHInnerData(self.nonce, self.server_nonce, 0, number(g_b)))
        data = (hashed or sha1(inner).digest()) + inner
        sealed = AES.encrypt_ige(data + os.urandom(-len(data) % 16), *key)
        return self.ask(functions.SetClientDHParamsRequest(self.nonce, self.server_nonce, sealed))


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encrypted(block: bytes) -> bytes:
    public: Any = load_pem_public_key(SERVER_KEY.public_pem.encode())
    numbers = public.public_numbers()
    secret: int = pow(int.from_bytes(block, "big"), numbers.e, numbers.n)
    return secret.to_bytes(256, "big")


def padded_the_old_way(data: bytes) -> bytes:
    return encrypted(sha1(data).digest() + data + os.urandom(235 - len(data)))


def padded_the_new_way(data: bytes) -> bytes:
    padded = data + os.urandom(192 - len(data))
    while True:
        key = os.urandom(32)
        inside = padded[::-1] + sha256(key + padded).digest()
        hidden = AES.encrypt_ige(inside, key, bytes(32))
        masked = bytes(a ^ b for a, b in zip(key, sha256(hidden).digest(), strict=True))
        if masked[0] < 0x80:
            return encrypted(masked + hidden)


@pytest.mark.parametrize("modern", [False, True])
def test_both_paddings_lead_to_a_common_key(modern: bool) -> None:
    """Old clients and current ones end with the same key as the server."""
    client = Client()
    client.begin()
    pad = padded_the_new_way if modern else padded_the_old_way

    answer: Any = types.DhGenRetry(0, 0, 0)
    while isinstance(answer, types.DhGenRetry):
        answer = client.finish(client.request_parameters(pad(client.inner(modern=modern))))

    key = AuthKey(number(pow(client.g_a, client.exponent, dh_group.PRIME)))
    assert isinstance(answer, types.DhGenOk)
    assert client.keys == [key]
    assert answer.new_nonce_hash1 == key.calc_new_nonce_hash(NEW_NONCE, 1)


def test_key_with_a_leading_zero_is_tried_again() -> None:
    """Telethon loses leading zeros of a key, so such a key is not given out."""
    client = Client()
    answers: list[Any] = []
    client.begin()
    parameters = client.request_parameters(padded_the_old_way(client.inner()))

    while not any(isinstance(answer, types.DhGenRetry) for answer in answers):
        answers.append(client.finish(parameters))

    assert all(len(key.key) == 256 for key in client.keys)


def test_wrong_factors_are_refused() -> None:
    """Whoever can't factor gets nothing."""
    client = Client()
    client.begin()

    with pytest.raises(ExchangeFailed):
        client.request_parameters(padded_the_old_way(client.inner()), p=Q, q=P)


def test_wrong_nonce_is_refused() -> None:
    """Another exchange's server nonce is refused."""
    client = Client()
    client.begin()
    client.server_nonce += 1

    with pytest.raises(ExchangeFailed):
        client.request_parameters(padded_the_old_way(client.inner()))


def test_wrong_hash_inside_is_refused() -> None:
    """Data that does not match its hash is refused, at either step."""
    client = Client()
    client.begin()

    data = client.inner()
    with pytest.raises(ExchangeFailed):
        client.request_parameters(encrypted(bytes(20) + data + bytes(235 - len(data))))
    parameters = client.request_parameters(padded_the_old_way(client.inner()))
    with pytest.raises(ExchangeFailed):
        client.finish(parameters, hashed=bytes(20))


@pytest.mark.parametrize("public", [1, dh_group.PRIME - 1, 2**1000])
def test_unsafe_public_value_is_refused(public: int) -> None:
    """A public value that would betray the key is refused."""
    client = Client()
    client.begin()
    parameters = client.request_parameters(padded_the_old_way(client.inner()))

    with pytest.raises(ExchangeFailed):
        client.finish(parameters, public=public)


def test_steps_have_an_order() -> None:
    """Nothing can be asked for before the nonces."""
    with pytest.raises(ExchangeFailed):
        Client().request_parameters(bytes(256))
    with pytest.raises(ExchangeFailed):
        Client().ask(functions.SetClientDHParamsRequest(0, 0, bytes(32)))


@given(st.binary(max_size=300))
def test_garbage_is_refused(packet: bytes) -> None:
    """Bytes that are no part of an exchange are refused."""
    with pytest.raises(ExchangeFailed):
        Client().exchange.answer(packet)
