"""A box keeps its messages ordered per chat."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.records.mailbox import Content, Mailbox

NOW = datetime(2024, 1, 1, tzinfo=UTC)
OWNER = 1


def filled(directions: list[bool], peer: int = 2) -> Mailbox:
    box = Mailbox()
    for out in directions:
        box.add(OWNER, peer, Content(OWNER, NOW), out=out)
    return box


@given(st.lists(st.booleans()), st.integers(0, 30), st.sets(st.integers(1, 30)))
def test_unread_is_what_came_after_the_mark(
    directions: list[bool], mark: int, deleted: set[int]
) -> None:
    """Unread are the incoming messages past the mark that were not deleted."""
    box = filled(directions)
    for message_id in deleted:
        box.remove(message_id)
    chat = box.conversation(2)
    chat.read_inbox = mark

    left = {message.id for message in box}
    incoming = [m.id for m in box if not m.out]
    assert chat.unread == sum(message_id > mark for message_id in incoming)
    assert chat.ids == sorted(left)
    assert chat.top == max(left, default=0)
    assert chat.newest_incoming(mark) == max(
        (i for i in incoming if i <= mark or not mark), default=0
    )


def test_ids_are_never_given_again() -> None:
    """A deleted message's id stays free."""
    box = filled([True, True])
    box.remove(2)

    assert box.add(OWNER, 2, Content(OWNER, NOW), out=True).id == 3


def test_random_id_outlives_its_message() -> None:
    """A deleted message is still known to have been sent."""
    box = Mailbox()
    message = box.add(OWNER, 2, Content(OWNER, NOW), out=True, random_id=99)
    box.remove(message.id)

    assert box.sent_with(99) == message.id
    assert box.sent_with(98) is None


def test_content_knows_its_copies() -> None:
    """One content lies in several boxes under their own ids."""
    content = Content(OWNER, NOW)
    box, other = filled([True]), Mailbox()

    box.add(OWNER, 2, content, out=True)
    other.add(2, OWNER, content, out=False)

    assert content.copies == {OWNER: 2, 2: 1}
