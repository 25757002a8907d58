"""Events keep their order; who is too far behind is told so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.chats.event_log import MAX_KEPT, DeletedMessages, EventLog, NewMessage

events = st.one_of(
    st.builds(NewMessage, st.integers(1)),
    st.builds(DeletedMessages, st.lists(st.integers(1), min_size=1, max_size=4).map(tuple)),
)


@given(st.lists(events), st.integers(0, 50))
def test_difference_starts_where_the_client_is(happened: list[NewMessage], pts: int) -> None:
    """All events past a pts come back in order; their steps add up to the newest pts."""
    log = EventLog()
    entries = [log.append(event) for event in happened]

    assert log.since(pts) == [entry for entry in entries if entry.pts > pts]
    assert log.pts == 1 + sum(entry.steps for entry in entries)


def test_old_events_are_forgotten() -> None:
    """The log is bounded; whoever needs what it lost is too far behind."""
    log = EventLog()
    for message_id in range(2 * MAX_KEPT + 1):
        log.append(NewMessage(message_id))

    assert log.is_forgotten(MAX_KEPT)
    assert not log.is_forgotten(log.pts - MAX_KEPT)
    assert len(log.since(1)) == MAX_KEPT


def test_forgetting_spares_who_is_up_to_date() -> None:
    """After forgetting, only clients behind that point are too far behind."""
    log = EventLog()
    log.append(NewMessage(1))

    log.forget()

    assert log.is_forgotten(log.pts - 1)
    assert not log.is_forgotten(log.pts)
