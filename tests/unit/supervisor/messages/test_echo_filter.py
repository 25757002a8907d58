"""What we sent for Planfix never comes back to it as an echo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.messages import Deliver, Failed, Failure, Received, Send, Trying
from supervisor.journal.values import Waiting
from supervisor.messages.hand_over import EchoFilter
from tests.unit.supervisor.rows import incoming, received, sent

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import RecordedDispatcher

OFFLINE = Failure(code="OFFLINE", next_try=9e9)
FLOOD = Failure(code="FLOOD_WAIT", next_try=9e9)


def echo(message_id: int, peer_id: int = 1) -> Received:
    return received(message_id, peer_id=peer_id, is_echo=True)


def delivered(recorded: RecordedDispatcher) -> list[int]:
    return [order.incoming.message_ids[0] for order in recorded.told_of(Deliver)]


async def test_echo_after_the_answer_is_dropped(recorded: RecordedDispatcher) -> None:
    """The echo of a part that we know is sent is not even kept."""
    row = (await recorded.write("a")).row

    await recorded.say(Trying(row=row), sent(row, 5), echo(5))

    assert delivered(recorded) == []
    assert [entry.id for entry in await recorded.entries()] == [row]


async def test_echo_before_the_answer_waits(recorded: RecordedDispatcher) -> None:
    """While it is open whether we wrote it, an echo is neither delivered nor lost."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))
    await recorded.say(echo(5))
    assert delivered(recorded) == []

    await recorded.say(sent(row, 5))

    assert delivered(recorded) == []
    assert [entry.id for entry in await recorded.entries()] == [row]


async def test_owners_own_message_is_delivered(recorded: RecordedDispatcher) -> None:
    """What the owner wrote meanwhile on another device goes out when the doubt is over."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))
    await recorded.say(echo(6), received(7), echo(5))
    assert delivered(recorded) == []

    await recorded.say(sent(row, 5))

    assert delivered(recorded) == [6, 7]


async def test_other_chats_go_on(recorded: RecordedDispatcher) -> None:
    """Doubt in one chat holds up no other, nor what the contact wrote before."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))

    await recorded.say(received(4), echo(8, peer_id=2), echo(5))

    assert delivered(recorded) == [4, 8]


async def test_refusal_ends_the_doubt(recorded: RecordedDispatcher) -> None:
    """A try that Telegram has refused sent nothing; one cut off in the middle may have."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row), Failed(row=row, failure=OFFLINE), echo(5))
    assert delivered(recorded) == []

    await recorded.say(Trying(row=row), Failed(row=row, failure=FLOOD))

    assert delivered(recorded) == [5]


async def test_echo_of_what_was_sent_before_the_failure(recorded: RecordedDispatcher) -> None:
    """What Telegram had taken of a message that failed is ours, before its echo comes or after."""
    row = (await recorded.write("a")).row
    dead = Failed(row=row, failure=Failure(code="MEDIA_EMPTY"))

    await recorded.say(Trying(row=row), echo(5), sent(row, 9, 5, None), dead, echo(9), echo(10))

    assert delivered(recorded) == [10]


async def test_doubt_survives_the_worker(recorded: RecordedDispatcher) -> None:
    """After a crash it is open of the first waiting message of each chat whether it was sent."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))
    await recorded.say(echo(5))

    await recorded.reopen()
    assert [order.row for order in recorded.told_of(Send)] == [row]
    assert delivered(recorded) == []
    await recorded.say(Trying(row=row), sent(row, 5))

    assert delivered(recorded) == []
    assert [entry.state for entry in await recorded.entries()] == ["delivered"]


async def test_untried_even_to_the_supervisor(recorded: RecordedDispatcher) -> None:
    """A crash may have swallowed the word of the try itself, so it is not relied on."""
    row = (await recorded.write("a")).row

    await recorded.reopen()
    await recorded.say(echo(5))
    await recorded.say(sent(row, 5))

    assert delivered(recorded) == []


async def test_refused_try_leaves_no_doubt_behind(recorded: RecordedDispatcher) -> None:
    """A message that waits for its next try since before the crash holds up nobody."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row), Failed(row=row, failure=FLOOD))

    await recorded.reopen()
    await recorded.say(echo(5))

    assert delivered(recorded) == [5]


async def test_echo_of_many_parts(recorded: RecordedDispatcher) -> None:
    """The doubt lasts until the last part."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row), echo(5), echo(9))

    await recorded.say(sent(row, 5, 9))

    assert delivered(recorded) == []
    assert len(await recorded.entries()) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 3), st.booleans()),
        st.tuples(st.sampled_from(["doubt", "settle"]), st.integers(1, 3), st.just(False)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_any_history_keeps_the_order(steps: list[tuple[str, int, bool]]) -> None:
    """In each chat everything passes in order, once; no echo passes while there is doubt."""
    passed: list[Waiting] = []
    taken: list[Waiting] = []
    doubts: set[int] = set()
    echoes = EchoFilter(passed.append)
    echoes.start({})

    for place, (step, peer_id, is_echo) in enumerate(steps):
        before = len(passed)
        if step == "take":
            taken.append(Waiting(place, peer_id, incoming(place + 1, is_echo=is_echo)))
            echoes.add(taken[-1])
            assert not any(each.is_echo and each.peer_id in doubts for each in passed[before:])
        elif step == "doubt":
            echoes.mark_open(peer_id, 100 + peer_id)
            doubts.add(peer_id)
        else:
            echoes.mark_known(100 + peer_id)
            doubts.discard(peer_id)
    for peer_id in (1, 2, 3):
        echoes.mark_known(100 + peer_id)

    for peer_id in (1, 2, 3):
        rows = [each.row for each in taken if each.peer_id == peer_id]
        assert [each.row for each in passed if each.peer_id == peer_id] == rows
