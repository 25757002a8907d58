"""Nothing that happens to an account is lost, whatever happens to its line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionState, UpdateState
from session_worker.telegram.connection.client import AccountClient
from session_worker.telegram.connection.connection import DirectConnection
from session_worker.telegram.connection.session_memory import WorkerSession
from session_worker.telegram.connection.updates import Gap
from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.number import SELDOM, Number, assignment, imported
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.data_centre import DataCentre


async def test_a_message_arrives_at_once(
    telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """A live message is handed over, without a poll, with its place, which is then stored."""
    number = Number(telegram, PHONE, SELDOM)
    await number.start()

    posted = write("hello")

    await number.until_texts("hello")
    await number.until_place(number.sandbox.account_of(PHONE).log.pts)
    assert number.account.last_heard
    assert posted.message.content.text == "hello"
    await number.stop()


async def test_a_message_is_ahead_of_its_place_even_before_the_account_is_verified(
    telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """What is pushed while we still ask whose login it is comes with the place after it, not behind it."""
    session = imported(telegram.session_string_for(PHONE))
    told = assignment(telegram, PHONE, session)
    start = UpdateState(pts=telegram.account_of(PHONE).log.pts, date=int(time.time()))
    reported: list[tuple[int, int]] = []

    async def note(place: UpdateState, updates: Sequence[Any]) -> None:
        reported.append((place.pts, len(updates)))

    client = AccountClient(
        WorkerSession(session, told.data_centre), told.application, DirectConnection, SELDOM, note
    )
    await client.open(start)
    await client(functions.updates.GetStateRequest())
    write("early")
    await eventually(lambda: client.pushes == 1)
    # The library gets its turn while this is answered.
    await client(functions.updates.GetStateRequest())

    await client.follow()

    await eventually(lambda: any(count for _, count in reported))
    assert reported == [(start.pts, 0), (start.pts + 1, 1)]
    await client.disconnect()


async def test_a_place_is_stored_only_after_acknowledgement(
    number: Number, write: Callable[..., Posted]
) -> None:
    """The stored place never passes an update that is not stored."""
    await number.start()
    before = number.sandbox.account_of(PHONE).log.pts
    await number.until_place(before)
    number.acknowledges = False

    write("one")
    write("two")
    await number.until_texts("one", "two")
    number.account.acknowledge(number.open[1].position)
    await eventually(lambda: number.account.queue_depth == 0)

    assert number.memory.place is not None
    assert number.memory.place.pts == before
    number.account.acknowledge(number.open[0].position)
    await number.until_place(before + 2)


async def test_what_came_while_it_was_stopped_comes_once(
    number: Number, write: Callable[..., Posted]
) -> None:
    """A number that starts again goes on where it stood: nothing lost, nothing twice."""
    await number.start()
    write("before")
    await number.until_texts("before")
    await number.stop()

    for count in range(250):
        write(f"away {count}")
    await number.start_again()
    write("after")

    await number.until_texts(*(f"away {count}" for count in range(250)), "after")


async def test_what_was_not_stored_comes_again_after_a_crash(
    number: Number, write: Callable[..., Posted]
) -> None:
    """Only acknowledged updates are past; the others are handed over a second time."""
    await number.start()
    write("stored")
    await number.until_texts("stored")
    await number.until_place(number.sandbox.account_of(PHONE).log.pts)
    number.acknowledges = False
    write("handed over")
    await number.until_texts("stored", "handed over")

    await number.kill()
    await number.start_again()

    await number.until_texts("handed over")


async def test_a_message_during_a_cut_comes_with_the_next_line(
    telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """A cut costs a moment, no message, without waiting for the poll."""
    number = Number(telegram, PHONE, SELDOM)
    await number.start()
    await number.until_place(telegram.account_of(PHONE).log.pts)

    telegram.cut(PHONE)
    write("during the cut")

    await number.until_texts("during the cut")
    assert SessionState.RECONNECTING in number.memory.states
    await number.until(SessionState.ONLINE)
    await number.stop()


async def test_unstored_updates_do_not_come_twice_after_a_cut(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Within one process a new line goes on after what is already in hand."""
    await number.start()
    number.stores.clear()
    write("one")
    await eventually(lambda: number.account.last_heard)

    telegram.cut(PHONE)
    write("two")
    await number.until(SessionState.RECONNECTING)
    await number.until(SessionState.ONLINE)
    number.stores.set()

    await number.until_texts("one", "two")


async def test_edits_deletions_and_reads_come_after_a_cut(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """A difference brings all that happened, each message before what became of it."""
    us, contact = telegram.account_of(PHONE), telegram.account_of(CONTACT)
    first = write("first")
    write("ours", sender=PHONE, recipient=CONTACT)
    await number.start()
    await number.stop()
    second = write("second")
    third = write("third")
    telegram.message_actions.edit(contact, first.message.id, Draft("first, edited"))
    telegram.message_actions.edit(contact, second.message.id, Draft("second, edited"))
    telegram.message_actions.delete(contact, [third.message.id], for_all=True)
    telegram.message_actions.read(contact, us)

    await number.start_again()

    await eventually(lambda: types.UpdateReadHistoryOutbox in kinds(number))
    assert kinds(number) == [
        types.UpdateNewMessage,
        types.UpdateEditMessage,
        types.UpdateEditMessage,
        types.UpdateDeleteMessages,
        types.UpdateReadHistoryOutbox,
    ]


async def test_a_difference_too_long_is_told_as_a_gap(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """What Telegram no longer hands out is named, so that it can be read from the dialogs."""
    await number.start()
    start = telegram.account_of(PHONE).log.pts
    await number.until_place(start)
    await number.stop()
    for _ in range(5):
        write("forgotten")
    telegram.forget_events(PHONE)

    number.acknowledges = False
    await number.start_again()
    await eventually(lambda: number.updates)
    write("after the gap")
    await number.until_texts("after the gap")

    assert number.updates[0] == Gap(pts_from=start, pts_to=start + 5)
    number.account.acknowledge(number.open[1].position)
    assert number.memory.place is not None
    assert number.memory.place.pts == start
    number.account.acknowledge(number.open[0].position)
    await number.until_place(start + 6)


async def test_a_failed_difference_is_asked_for_again(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """The library gives up a difference at Telegram's first trouble; the poll does not."""
    await number.start()
    await number.until_place(telegram.account_of(PHONE).log.pts)
    telegram.fail("INTERDC_2_CALL_ERROR", phone=PHONE, method="updates.getDifference", times=2)

    telegram.cut(PHONE)
    write("during the cut")

    await number.until_texts("during the cut")


async def test_a_flood_while_nobody_stores_is_held_by_telegram(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Past the limits updates wait at Telegram, not in memory; then all come, in order."""
    await number.start()
    number.stores.clear()

    for count in range(4000):
        write(f"{count}")
    await eventually(lambda: telegram.account_of(PHONE).log.pts > 4000)
    await eventually(lambda: number.account.queue_depth > 1000)

    assert number.account.queue_depth <= 3100
    number.stores.set()
    await number.until_texts(*(f"{count}" for count in range(4000)))


async def test_a_deaf_line_is_heard_by_asking_then_replaced(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Updates Telegram does not push arrive by the poll; a line that needs it twice is deaf,
    its successor too until it hears something."""
    await number.start()
    telegram.afflict(Kind.DEAF, PHONE)

    write("one")
    await number.until_texts("one")
    assert number.memory.states == [SessionState.CONNECTING, SessionState.ONLINE]
    write("two")
    await number.until_texts("one", "two")

    await eventually(lambda: SessionState.DEAF in number.memory.states)
    write("three")
    await number.until_texts("one", "two", "three")
    write("four")
    await number.until_texts("one", "two", "three", "four")
    assert number.memory.states[-1] is SessionState.DEAF

    telegram.clear_faults()
    write("five")
    await number.until_texts("one", "two", "three", "four", "five")
    await number.until(SessionState.ONLINE)


async def test_deaf_line_that_misses_nothing_is_trusted_again(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Where nobody writes there is nothing to hear, so a look that finds nothing is enough."""
    await number.start()
    telegram.afflict(Kind.DEAF, PHONE)
    write("one")
    await number.until_texts("one")
    write("two")
    await eventually(lambda: SessionState.DEAF in number.memory.states)

    telegram.clear_faults()

    await number.until(SessionState.ONLINE)


async def test_what_the_gateway_has_no_use_for_is_not_handed_over(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Channels and passing signs neither wait for storage nor make requests of their own."""
    await number.start()
    us, contact = telegram.account_of(PHONE), telegram.account_of(CONTACT)

    for update in (
        types.UpdateUserTyping(contact.id, types.SendMessageTypingAction()),
        types.UpdateUserStatus(contact.id, types.UserStatusRecently()),
        types.UpdateDeleteChannelMessages(channel_id=5, messages=[1], pts=7, pts_count=1),
        types.UpdateDeleteChannelMessages(channel_id=5, messages=[1], pts=99, pts_count=1),
        types.UpdateChannelTooLong(channel_id=5),
    ):
        telegram.update_push.push(us, update)
    write("hello")

    await number.until_texts("hello")
    assert kinds(number) == [types.UpdateNewMessage]


async def test_peers_are_told_before_the_place_that_needs_them(
    number: Number, telegram: DataCentre, write: Callable[..., Posted]
) -> None:
    """Whoever starts from a stored place can address everybody met before it."""
    await number.start()
    await number.until_place(telegram.account_of(PHONE).log.pts)
    start = len(number.memory.events)
    write("hello")
    await number.until_place(telegram.account_of(PHONE).log.pts)

    told = [event.kind for event in number.memory.events[start:]]
    assert told == ["entities_seen", "update_state_moved"]
    await number.stop()
    await number.start_again()
    peer = types.PeerUser(telegram.account_of(CONTACT).id)
    sent = await number.account.ask(functions.messages.SendMessageRequest(peer, "hello too"))
    assert sent.id


def kinds(number: Number) -> list[type]:
    return [type(update) for update in number.updates]
