"""The body of an upload comes no faster than it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from quart import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from api import create_app
from api.requests.uploads import (
    LARGEST_CALL,
    MOST_AT_ONCE,
    MOST_DISCARDED,
    MOST_UNREAD,
    CallBody,
    UploadBody,
)

if TYPE_CHECKING:
    from api.settings import Settings

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


async def test_body_that_is_here_has_no_limit_on_time() -> None:
    """One that is not complete is given up when its time is over."""
    body, late = CallBody(None, MOST_AT_ONCE), CallBody(None, MOST_AT_ONCE)
    for each in (body, late):
        each.append(b"fields")
    body.set_complete()

    assert await body.read(0) == b"fields"
    with pytest.raises(RequestTimeout):
        await late.read(0)


def test_every_route_has_the_blueprints_that_the_framework_finds(settings: Settings) -> None:
    """Also what belongs to none, and a call that leads nowhere."""
    app = create_app(settings)
    nothing: Any = None
    asked = app.request_class(
        "GET", "http", "/", b"", Headers(), "", "1.1", cast("Any", {}), send_push_promise=nothing
    )
    assert asked.blueprints == []
    for rule in app.url_map.iter_rules():
        asked.url_rule = cast("Any", rule)
        assert asked.blueprints == cast("Any", Request.blueprints).fget(asked), rule
