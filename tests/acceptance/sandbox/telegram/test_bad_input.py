"""Whatever comes in on a port, the data centre stays up and keeps quiet."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl.alltlobjects import tlobjects

from tests.acceptance.sandbox.telegram.raw_client import container
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    import pytest

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw

OPENINGS = [b"", b"\xef", b"\xee" * 4, b"\xdd" * 4, struct.pack("<ii", 52, 0)]
REQUESTS = [c for c, kind in tlobjects.items() if kind.__name__.endswith("Request")]
many = settings(max_examples=60)


async def talk(centre: DataCentre, data: bytes) -> None:
    """Send bytes, hang up, read what comes back."""
    reader, writer = await asyncio.open_connection(centre.host, centre.port)
    writer.write(data)
    writer.write_eof()
    try:
        async with asyncio.timeout(PATIENCE):
            await reader.read()
    except ConnectionError:
        return
    finally:
        writer.close()


def errors_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged as an error, except for futures that earlier tests left to be collected."""
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [each for each in errors if "was never retrieved" not in each.getMessage()]


@many
@given(opening=st.sampled_from(OPENINGS), garbage=st.binary(max_size=300))
async def test_garbage_harms_nobody(
    data_centre: DataCentre,
    caplog: pytest.LogCaptureFixture,
    opening: bytes,
    garbage: bytes,
) -> None:
    """Garbage on the port ends that connection without an error in the log."""
    await talk(data_centre, opening + garbage)

    assert not errors_in(caplog)


@many
@given(data=st.data())
async def test_garbage_under_a_good_key_is_answered(
    connect_raw: ConnectRaw, alice: Account, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    """Requests with nonsense in them get an RPC error, never a traceback."""
    raw = await connect_raw(alice)
    bodies = st.builds(
        lambda constructor, rest: struct.pack("<I", constructor) + rest,
        st.sampled_from(REQUESTS),
        st.binary(max_size=120),
    )
    garbage = data.draw(st.lists(bodies, max_size=5))
    parts = [(raw.next_id(), body) for body in garbage]

    raw.send_body(container(*parts))
    raw.send_body(b"\x78\x56\x34\x12", message_id=(last := raw.next_id()))
    await raw.answer_to(last)

    assert not errors_in(caplog)


async def test_others_are_served_meanwhile(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """Bad connections take nothing from good ones."""
    client = await client_of(alice)

    await asyncio.gather(*(talk(data_centre, bytes([n]) * 500) for n in range(100)))

    assert (await client.get_me()).id == alice.id


async def test_who_does_not_read_is_cut_off(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A client that takes no answers is cut off before they fill the memory."""
    raw = await connect_raw(alice)
    update = bytes(1 << 20)

    raw.send_body(b"\x78\x56\x34\x12")
    await raw.until(object)
    session = next(iter(raw.key.sessions.values()))
    for _ in range(40):
        session.push(update)
        await asyncio.sleep(0)

    assert session.connection is None
