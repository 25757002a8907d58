"""A client that spoils one of its packets gets no key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.extensions import BinaryReader

from sandbox.telegram.protocol.key_exchange import PLAIN_HEADER, ExchangeFailed
from tests.support.mutations import Mutation, mutations, spoil
from tests.unit.sandbox.telegram.protocol.test_key_exchange import Client, padded_the_old_way

STEPS = 3


@dataclass
class Spoiler(Client):
    """A client that changes the bytes of one step, or repeats the packets of others."""

    step: int = 0
    chain: tuple[Mutation, ...] = ()
    sent: int = 0

    def ask(self, request: Any) -> Any:
        body = bytes(request)
        packet = PLAIN_HEADER.pack(0, 4, len(body)) + body
        if self.sent == self.step:
            packet = spoil(packet, list(self.chain))
        self.sent += 1
        answer = self.exchange.answer(packet)
        return BinaryReader(answer[PLAIN_HEADER.size :]).tgread_object()

    def go_through(self) -> None:
        self.begin()
        self.finish(self.request_parameters(padded_the_old_way(self.inner())))


@settings(max_examples=150)
@given(step=st.integers(0, STEPS - 1), chain=st.lists(mutations, min_size=1, max_size=3).map(tuple))
def test_spoilt_step_fails_in_one_way(step: int, chain: tuple[Mutation, ...]) -> None:
    """Whatever is changed, the exchange fails with its own error or goes on as if it were not."""
    client = Spoiler(step=step, chain=chain)

    try:
        client.go_through()
    except ExchangeFailed:
        assert client.keys == []
        return

    assert len(client.keys) <= 1
