"""The body of an upload comes no faster than it is stored."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from api.requests.uploads import (
    LARGEST_CALL,
    MOST_AT_ONCE,
    MOST_DISCARDED,
    MOST_UNREAD,
    UploadBody,
)

PIECE = b"x" * 65_536


async def test_server_waits_for_the_reader() -> None:
    """Once too much is unread there is no room, until it has been read."""
    body = UploadBody(None)
    for _ in range(MOST_UNREAD // len(PIECE) + 1):
        assert body.has_room.is_set()
        body.append(PIECE)

    assert not body.has_room.is_set()
    assert len(await anext(body)) > MOST_UNREAD
    assert body.has_room.is_set()


async def test_too_long_a_body_is_refused() -> None:
    """A body that is announced as too long, or turns out to be, raises, and keeps nothing."""
    announced = UploadBody(LARGEST_CALL + 1)
    announced.append(PIECE)
    announced.set_complete()
    for each in (announced, UploadBody(MOST_DISCARDED + 1)):
        with pytest.raises(RequestEntityTooLarge):
            await anext(each)
    body = UploadBody(None)
    for _ in range(LARGEST_CALL // len(PIECE)):
        body.append(PIECE)
        await anext(body)
    body.append(PIECE)
    body.set_complete()
    with pytest.raises(RequestEntityTooLarge):
        await anext(body)


async def test_whole_body_has_the_usual_limit() -> None:
    """Calls that read everything at once get no more than from other requests."""
    body, large = UploadBody(None), UploadBody(None)
    body.append(b"fields")
    large.append(PIECE * (MOST_AT_ONCE // len(PIECE) + 1))
    for each in (body, large):
        each.set_complete()

    assert await body == b"fields"
    with pytest.raises(RequestEntityTooLarge):
        await large
