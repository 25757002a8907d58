"""The pipe between the supervisor and a worker."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.contract import (
    COMMANDS,
    EVENTS,
    Application,
    Assignment,
    Beat,
    Command,
    Entity,
    Event,
    KeySaved,
    PlanfixAccount,
    Pulse,
    StoredSession,
)
from session_worker.protocol.pipe import (
    HEADER,
    MAX_FRAME,
    MessageTooLarge,
    Pipe,
    PipeBroken,
    PipeClosed,
    decode,
    encode,
    receive_blocking,
)
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Up = Pipe[Event, Command]
    Down = Pipe[Command, Event]

ENTITY = Entity(
    peer_id=10**12, access_hash=-(2**63), username="u" * 32, phone="9" * 15, name="Ы" * 129
)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Up, Down]]:
    ours, theirs = socket.socketpair()
    up: Up = await Pipe.open(ours, EVENTS)
    down: Down = await Pipe.open(theirs, COMMANDS)
    yield up, down
    up.close()
    down.close()


@pytest.fixture
async def raw() -> AsyncIterator[tuple[Up, socket.socket]]:
    """Give our end of a pipe with the bare socket on the other side."""
    ours, theirs = socket.socketpair()
    up: Up = await Pipe.open(ours, EVENTS)
    yield up, theirs
    up.close()
    theirs.close()


async def test_messages_arrive_in_order_both_ways(ends: tuple[Up, Down]) -> None:
    """What one end hands over the other one gets, equal, in the same order."""
    up, down = ends
    beats = [Beat(beat_id=i, deadline=i / 3) for i in range(100)]
    pulse = Pulse(beat_id=7, loop_lag=0.1, last_heard=1.5)

    for beat in beats:
        up.put(beat)
    await down.report(pulse)

    assert [await down.receive() for _ in beats] == beats
    assert await up.receive() == pulse


async def test_end_of_file_is_no_message(ends: tuple[Up, Down]) -> None:
    """After the other side is finished there is nothing, though we can still speak."""
    up, down = ends
    up.put(Beat(beat_id=1, deadline=1.0))
    up.finish()

    assert await down.receive() == Beat(beat_id=1, deadline=1.0)
    assert await down.receive() is None
    await down.report(Pulse(beat_id=1, loop_lag=0.0))
    assert await up.receive() == Pulse(beat_id=1, loop_lag=0.0)


async def test_nothing_follows_the_end(ends: tuple[Up, Down]) -> None:
    """Who has said that nothing more follows is told so, as if the other side were gone."""
    up, _ = ends
    up.finish()

    with pytest.raises(PipeClosed, match="the sending side was finished"):
        up.put(Beat(beat_id=1, deadline=1.0))


async def test_largest_assignment_fits_a_frame(ends: tuple[Up, Down]) -> None:
    """Five thousand peers with the longest names travel in one message."""
    up, down = ends
    assignment = _assignment(_session(entities=5000))

    up.put(assignment)

    assert await down.receive() == assignment


def test_message_over_the_maximum_is_refused() -> None:
    """A message that no reader would take is not sent."""
    with pytest.raises(MessageTooLarge):
        encode(_assignment(_session(entities=20_000)))


@pytest.mark.parametrize(
    "sent",
    [
        HEADER.pack(MAX_FRAME + 1),
        HEADER.pack(2) + b"{}",
        HEADER.pack(4) + b"null",
        HEADER.pack(3) + b"\xff\xfe\xfd",
        HEADER.pack(26) + b'{"kind":"beat","beat_id":1',
        HEADER.pack(0),
    ],
)
async def test_nonsense_breaks_the_pipe(raw: tuple[Up, socket.socket], sent: bytes) -> None:
    """A frame that is too large or no message of ours is never taken for one."""
    up, other = raw

    other.sendall(sent)

    with pytest.raises(PipeBroken):
        await up.receive()


@pytest.mark.parametrize("sent", [b"\x00", b"\x00\x00\x00\x09", b"\x00\x00\x00\x09half"])
async def test_end_inside_a_frame_breaks_the_pipe(
    raw: tuple[Up, socket.socket], sent: bytes
) -> None:
    """Half a frame is not the orderly end of the conversation."""
    up, other = raw

    other.sendall(sent)
    other.close()

    with pytest.raises(PipeBroken):
        await up.receive()


async def test_half_a_frame_does_not_stop_the_loop(raw: tuple[Up, socket.socket]) -> None:
    """While the rest of a frame is awaited everything else runs on."""
    up, other = raw
    frame = encode(Pulse(beat_id=1, loop_lag=0.0))
    receiving = asyncio.create_task(up.receive())
    ticks = 0

    other.sendall(frame[:7])
    while ticks < 100:
        await asyncio.sleep(0)
        ticks += 1

    assert not receiving.done()
    other.sendall(frame[7:])
    assert await receiving == Pulse(beat_id=1, loop_lag=0.0)


async def test_nobody_reads_what_is_sent_to_the_dead(ends: tuple[Up, Down]) -> None:
    """Once the other side is gone a message is refused, not swallowed."""
    up, down = ends
    down.close()

    assert await up.receive() is None
    with pytest.raises(PipeClosed):
        await _send_forever(up, Beat(beat_id=1, deadline=1.0))


async def test_peer_that_does_not_read_is_given_up(raw: tuple[Up, socket.socket]) -> None:
    """What waits for a peer is bounded."""
    up, _ = raw
    large = _assignment(_session(entities=5000))

    with pytest.raises(PipeClosed):
        await _send_forever(up, large)


async def test_error_of_a_broken_frame_shows_no_value() -> None:
    """What is wrong is said by field: a value may be a secret."""
    with pytest.raises(PipeBroken) as caught:
        decode(b'{"kind":"key_saved","dc_id":"hunter2","auth_key":"c2VjcmV0"}', EVENTS)

    assert "dc_id" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_first_message_is_read_without_a_byte_more() -> None:
    """Before there is a loop the assignment is read alone; what follows it stays in the pipe."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        beat = Beat(beat_id=1, deadline=2.0)
        ours.sendall(encode(_assignment(None)) + encode(beat))

        assert receive_blocking(theirs, COMMANDS) == _assignment(None)
        assert theirs.recv(1000) == encode(beat)


@pytest.mark.parametrize(("sent", "outcome"), [(b"", None), (b"\x00\x00", PipeBroken)])
def test_supervisor_that_dies_before_the_first_message(
    sent: bytes, outcome: type[Exception] | None
) -> None:
    """An end before the assignment is nothing, an end within it is an error."""
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(sent)
        ours.close()

        if outcome is None:
            assert receive_blocking(theirs, COMMANDS) is None
        else:
            with pytest.raises(outcome):
                receive_blocking(theirs, COMMANDS)


@given(st.binary(max_size=300), st.integers(1, 5), st.none() | st.integers(0, 2**62))
def test_keys_survive_the_way(key: bytes, dc_id: int, user_id: int | None) -> None:
    """Any bytes of a key come out of a frame as they went in."""
    saved = KeySaved(dc_id=dc_id, server_address="1.2.3.4", port=443, auth_key=key, user_id=user_id)

    assert decode(encode(saved)[HEADER.size :], EVENTS) == saved


async def _send_forever(up: Up, command: Command) -> None:
    async def refused() -> bool:
        up.put(command)
        return False

    await eventually(refused)


def _session(entities: int) -> StoredSession:
    return StoredSession(
        dc_id=2,
        server_address="::",
        port=443,
        auth_key=b"k" * 256,
        entities=(ENTITY,) * entities,
    )


def _assignment(session: StoredSession | None) -> Assignment:
    return Assignment(
        number="380500000001",
        epoch=1,
        deadline=1.5,
        application=Application(api_id=1, api_hash="hash"),
        session=session,
        planfix=PlanfixAccount(url="https://p/", token="token", provider_id="telegram"),
        spool="spool",
    )
