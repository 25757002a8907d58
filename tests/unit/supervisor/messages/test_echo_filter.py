"""What we sent for Planfix never comes back to it as an echo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.messages import Deliver, Failed, Failure, Received, Send, Trying
from supervisor.journal.values import Waiting
from supervisor.messages.echo_filter import EchoFilter
from tests.unit.supervisor.rows import incoming, received, sent

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import Office

OFFLINE = Failure(code="OFFLINE", next_try=9e9)
FLOOD = Failure(code="FLOOD_WAIT", next_try=9e9)


def echo(message_id: int, peer_id: int = 1) -> Received:
    return received(message_id, peer_id=peer_id, is_echo=True)


def delivered(office: Office) -> list[int]:
    return [order.incoming.message_ids[0] for order in office.told_of(Deliver)]


async def test_echo_after_the_answer_is_dropped(office: Office) -> None:
    """The echo of a part that we know is sent is not even kept."""
    row = (await office.write("a")).row

    await office.say(Trying(row=row), sent(row, 5), echo(5))

    assert delivered(office) == []
    assert [entry.id for entry in await office.entries()] == [row]


async def test_echo_before_the_answer_waits(office: Office) -> None:
    """While it is open whether we wrote it, an echo is neither delivered nor lost."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row))
    await office.say(echo(5))
    assert delivered(office) == []

    await office.say(sent(row, 5))

    assert delivered(office) == []
    assert [entry.id for entry in await office.entries()] == [row]


async def test_owners_own_message_is_delivered(office: Office) -> None:
    """What the owner wrote meanwhile on another device goes out when the doubt is over."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row))
    await office.say(echo(6), received(7), echo(5))
    assert delivered(office) == []

    await office.say(sent(row, 5))

    assert delivered(office) == [6, 7]


async def test_other_chats_go_on(office: Office) -> None:
    """Doubt in one chat holds up no other, nor what the contact wrote before."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row))

    await office.say(received(4), echo(8, peer_id=2), echo(5))

    assert delivered(office) == [4, 8]


async def test_refusal_ends_the_doubt(office: Office) -> None:
    """A try that Telegram has refused sent nothing; one cut off in the middle may have."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row), Failed(row=row, failure=OFFLINE), echo(5))
    assert delivered(office) == []

    await office.say(Trying(row=row), Failed(row=row, failure=FLOOD))

    assert delivered(office) == [5]


async def test_echo_of_what_was_sent_before_the_failure(office: Office) -> None:
    """What Telegram had taken of a message that failed is ours, before its echo comes or after."""
    row = (await office.write("a")).row
    dead = Failed(row=row, failure=Failure(code="MEDIA_EMPTY"))

    await office.say(Trying(row=row), echo(5), sent(row, 9, 5, None), dead, echo(9), echo(10))

    assert delivered(office) == [10]


async def test_doubt_survives_the_worker(office: Office) -> None:
    """After a crash it is open of the first waiting message of each chat whether it was sent."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row))
    await office.say(echo(5))

    await office.reopen()
    assert [order.row for order in office.told_of(Send)] == [row]
    assert delivered(office) == []
    await office.say(Trying(row=row), sent(row, 5))

    assert delivered(office) == []
    assert [entry.state for entry in await office.entries()] == ["delivered"]


async def test_untried_even_to_the_supervisor(office: Office) -> None:
    """A crash may have swallowed the word of the try itself, so it is not relied on."""
    row = (await office.write("a")).row

    await office.reopen()
    await office.say(echo(5))
    await office.say(sent(row, 5))

    assert delivered(office) == []


async def test_refused_try_leaves_no_doubt_behind(office: Office) -> None:
    """A message that waits for its next try since before the crash holds up nobody."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row), Failed(row=row, failure=FLOOD))

    await office.reopen()
    await office.say(echo(5))

    assert delivered(office) == [5]


async def test_echo_of_many_parts(office: Office) -> None:
    """The doubt lasts until the last part."""
    row = (await office.write("a")).row
    await office.say(Trying(row=row), echo(5), echo(9))

    await office.say(sent(row, 5, 9))

    assert delivered(office) == []
    assert len(await office.entries()) == 1


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
