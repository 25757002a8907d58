"""What Planfix has taken is known after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_worker.inbound.progress import PLACES, RECORD, SIZE, DeliveredLog
from session_worker.protocol.messages import Contact, Incoming, IncomingKind

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def message(*message_ids: int, **fields: Any) -> Incoming:
    known: dict[str, Any] = {
        "peer_id": 7,
        "date": 1_700_000_000,
        "text": "hello",
        "contact": Contact(peer_id=7),
    }
    return Incoming(message_ids=message_ids, **known | fields)


async def opened(path: Path) -> DeliveredLog:
    proofs = DeliveredLog(path)
    assert not await proofs.contains(message(10**6))
    return proofs


async def test_next_process_knows_what_was_taken(tmp_path: Path) -> None:
    """The same message is recognised, however the gateway numbers it; no other one is."""
    path = tmp_path / "proofs"
    first = await opened(path)
    first.add(message(5, 6))
    second = await opened(path)
    changed = {"what": IncomingKind.EDIT, "edit_date": 1_700_000_001}
    second.add(message(9))
    second.add(message(9, **changed))

    third = await opened(path)

    assert await third.contains(message(5, 6))
    assert await third.contains(message(9))
    assert await third.contains(message(9, **changed))
    others = [
        *(message(5), message(5, 6, 7), message(5, 6, peer_id=8)),
        *(message(5, 6, date=1), message(5, 6, **changed)),
        message(9, text="edited again in this second", **changed),
    ]
    assert not any([await third.contains(other) for other in others])


async def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    """The file does not grow; the latest stay, in whatever process they were noted."""
    path = tmp_path / "proofs"
    proofs = await opened(path)
    for message_id in range(PLACES - 10):
        proofs.add(message(message_id))
    proofs = await opened(path)
    for message_id in range(PLACES):
        proofs.add(message(message_id, peer_id=9))

    last = await opened(path)

    assert path.stat().st_size == SIZE
    assert not any([await last.contains(message(each)) for each in range(PLACES)])
    assert all([await last.contains(message(each, peer_id=9)) for each in range(PLACES)])


async def test_half_a_record_is_none(tmp_path: Path) -> None:
    """What a process wrote when it was killed in the middle is no proof."""
    path = tmp_path / "proofs"
    (await opened(path)).add(message(5))
    with path.open("r+b") as file:
        file.seek(RECORD.size + 12)  # the first record is in the second place
        file.write(bytes(RECORD.size - 12))

    assert not await (await opened(path)).contains(message(5))


async def test_messages_go_on_without_proofs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the file can't be made nothing is noted, nothing fails."""
    proofs = await opened(tmp_path / "nowhere" / "proofs")

    proofs.add(message(5))

    assert not await proofs.contains(message(5))
    assert "not recorded" in caplog.text
