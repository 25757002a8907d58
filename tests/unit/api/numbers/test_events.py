"""The stream of changes: heartbeats, coming back, events that are forgotten, slow readers, languages."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from api.numbers.events import HEARTBEAT, MOST_STREAMS, RETRY, events_or_silence
from supervisor.journal.values import ByDirection
from supervisor.monitoring.feed import MOST_KEPT, MOST_WAITING, Feed, MessageCounts
from supervisor.numbers.state import Cause, Change, State
from tests.support.waiting import eventually
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart.typing import TestClientProtocol, TestHTTPConnectionProtocol

    from tests.fakes.gateway import FakeGateway
    from tests.support.clock import AutojumpClock

OTHER = "380500000099"
LOST = Cause("session_revoked")


@pytest.fixture
def feed(gateway: FakeGateway) -> Feed:
    gateway.monitor.feed = Feed()
    return gateway.monitor.feed


@asynccontextmanager
async def listening(
    client: TestClientProtocol, query: str = "", **headers: str
) -> AsyncIterator[TestHTTPConnectionProtocol]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.request(f"/events{query}", headers=bearer(ADMIN_KEY) | named) as stream:
        await stream.send_complete()
        assert await stream.receive() == f"retry: {RETRY}\n\n".encode()
        yield stream
        await stream.disconnect()


async def event(stream: TestHTTPConnectionProtocol) -> tuple[str, int | None, Any]:
    """Return the kind of the next event, its id and its data."""
    lines = (await stream.receive()).decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if line)
    return fields["event"], int(fields.get("id", 0)) or None, json.loads(fields["data"])


def change(state: State, number: str = NUMBER, cause: Cause | None = None) -> Change:
    return Change(number, "Romashka", 1.0, state, cause)


def newest(feed: Feed) -> int:
    return max(each.id for each in feed.events_after(0))


async def test_silence_is_filled(
    client: TestClientProtocol, feed: Feed, autojump_clock: AutojumpClock
) -> None:
    """A comment shows that the connection lives, again and again, each a heartbeat after the last."""
    async with listening(client) as stream:
        start = autojump_clock.time()
        for count in (1, 2):
            assert await stream.receive() == b": still here\n\n"
            assert autojump_clock.time() == pytest.approx(start + count * HEARTBEAT)
        feed.publish(change(State.ONLINE))
        assert (await event(stream))[0] == "number"


@pytest.mark.usefixtures("feed")
async def test_token_opens_no_more_streams_than_it_may(client: TestClientProtocol) -> None:
    """One client's streams are limited, those of others and the operator's are not."""
    query, key = f"?number={NUMBER}", bearer(await start(client))
    async with AsyncExitStack() as streams:
        for _ in range(MOST_STREAMS):
            await streams.enter_async_context(listening(client, query, **key))

        refused = await client.get(f"/events{query}", headers=key)
        await streams.enter_async_context(listening(client, query))

    assert refused.status_code == 429
    assert (await refused.get_json())["error"] == "too_many_streams"
    async with listening(client, query, **key):
        pass


@pytest.mark.usefixtures("autojump_clock", "feed")
async def test_head_is_answered_to_the_end(client: TestClientProtocol) -> None:
    """The answer to HEAD has no stream that would hold up the next request of the connection."""
    async with asyncio.timeout(HEARTBEAT):
        response = await client.head("/events", headers=bearer(ADMIN_KEY))

    assert response.status_code == 200
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert await response.get_data() == b""


@pytest.mark.usefixtures("autojump_clock")
async def test_old_token_does_not_listen_on(
    client: TestClientProtocol, gateway: FakeGateway, feed: Feed
) -> None:
    """A number that gets a new token, maybe for another client, is not watched with the old one."""
    token = await start(client)
    feed.publish(change(State.STARTING))
    asked = client.request(f"/events?number={NUMBER}", headers=bearer(token))
    async with asked as stream:
        await stream.send_complete()
        await stream.receive()
        assert await stream.receive() == b": still here\n\n"
        gateway.tokens.of[NUMBER] = "new"

        rest = await stream.as_response()

    assert b"event" not in await rest.get_data()
    assert not feed.has_listeners


@pytest.mark.usefixtures("autojump_clock")
async def test_event_during_a_heartbeat_is_not_lost(feed: Feed) -> None:
    """What happens while a slow reader takes the comment of a silence comes next."""
    with feed.listen() as listener:
        events = events_or_silence(listener, None)
        assert await anext(events) is None
        feed.publish(change(State.ONLINE))
        await eventually(listener._waiting.empty)

        following = await anext(events)

        assert following is not None
        assert following.what == change(State.ONLINE)


async def test_listener_that_comes_back_misses_nothing(
    client: TestClientProtocol, feed: Feed
) -> None:
    """With the id of its last event it gets the later ones in order, then what happens from there on."""
    feed.publish(change(State.STARTING))
    seen = newest(feed)
    feed.publish(change(State.RECONNECTING))
    feed.publish(change(State.ONLINE, OTHER))
    feed.publish(MessageCounts(NUMBER, ByDirection(2, 1), ByDirection(0, 0)))

    async with listening(client, f"?number={NUMBER}", Last_Event_ID=str(seen)) as stream:
        feed.publish(change(State.ONLINE))
        events = [await event(stream) for _ in range(3)]

    assert [kind for kind, _, _ in events] == ["number", "messages", "number"]
    assert [data.get("state") for _, _, data in events] == ["reconnecting", None, "online"]
    assert events[1][2]["backlog"] == {"in": 2, "out": 1}
    ids = [each for _, each, _ in events]
    assert ids == sorted(ids, key=lambda each: each or 0)
    assert min(each or 0 for each in ids) > seen


@pytest.mark.parametrize("seen", ["0", "1", "999999999999999999", "before the restart"])
async def test_what_is_forgotten_is_said(client: TestClientProtocol, feed: Feed, seen: str) -> None:
    """Whoever missed events that are not kept is told to read the lists again; nonsense is no id."""
    feed.publish(change(State.STARTING))
    first = newest(feed)
    for _ in range(MOST_KEPT):
        feed.publish(change(State.ONLINE))
    is_id = seen.isdigit()

    for each in (seen, str(first - 1)) if is_id else (seen,):
        async with listening(client, Last_Event_ID=each) as stream:
            feed.publish(change(State.STOPPED))
            kinds = [(await event(stream))[0]]
            if is_id:
                kinds.append((await event(stream))[0])
        assert kinds == (["reset", "number"] if is_id else ["number"])


async def test_reader_that_does_not_read_is_cut_off(client: TestClientProtocol, feed: Feed) -> None:
    """A listener for whom too much waits is cut off, so that it comes back and is told to reset."""
    async with listening(client) as stream:
        for _ in range(MOST_WAITING + 2):
            feed.publish(change(State.ONLINE))
        rest = await stream.as_response()

    assert rest.status_code == 200
    assert not feed.has_listeners


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("de-DE", "The login was ended"),
        ("en", "The login was ended"),
        ("ru", "Сеанс завершён"),
        ("uk-UA,ru;q=0.8", "Сеанс завершено"),
    ],
)
async def test_trouble_is_told_in_the_language_of_the_listener(
    client: TestClientProtocol, feed: Feed, asked: str, told: str
) -> None:
    """Two listeners read the same trouble each in a language of its own; a German reads English."""
    async with listening(client, Accept_Language=asked) as stream:
        feed.publish(change(State.NEEDS_LOGIN, cause=LOST))
        _, _, data = await event(stream)

    assert data["last_error"]["code"] == LOST.code
    assert data["last_error"]["message"].startswith(told), data
