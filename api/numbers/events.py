"""Server-sent events: every change of a number, as it happens."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, tag

from api.context import OPERATOR, admit_as, context
from api.numbers.answers import describe_count, describe_error
from api.requests.body import Digits, read_query, validate
from api.requests.errors import ApiError
from api.requests.openapi import ADMIN_OR_TOKEN, gives, needs
from api.security.authenticator import presented_key
from api.security.request_guard import ENDING
from api.texts import reader_language
from supervisor.errors import DatabaseError
from supervisor.monitoring.feed import MessageCounts, TooSlow
from supervisor.numbers.state import status_of
from supervisor.numbers.view import attention_to
from supervisor.store.history import moment
from supervisor.store.values import LastError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.monitoring.feed import Event, Listener
    from supervisor.numbers.state import Change
    from supervisor.numbers.token_cache import TokenCache

HEARTBEAT = 15.0  # seconds, so that proxies do not take the connection for a dead one
RETRY = 2000  # milliseconds until a browser connects again
LONGEST_ID = 18  # digits
MOST_STREAMS = 32  # of one number, for those who come with its token
STREAM = "text/event-stream"


class Listened(BaseModel):
    """Selects the numbers to listen to."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    number: Digits | None = Field(
        None, description="only this number; its token opens this call as well"
    )


blueprint = Blueprint("events", __name__)


@blueprint.get("/events")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(Listened)
@gives(STREAM)
async def get_events() -> Response:
    """Stream changes: `number` (its state or trouble), `messages` (its counts) and `reset` (read the lists again)."""
    number = validate(Listened, read_query(request)).number
    admission = await _admit(number)
    extensions: dict[str, Any] = request.scope.get("extensions") or {}
    ending: asyncio.Event | None = extensions.get(ENDING)
    feed = context().gateway.monitor.feed
    if admission is not None and feed.count(admission.number) >= MOST_STREAMS:
        raise ApiError(429, "too_many_streams", "too many streams of this number are open")
    after = _newest_seen()
    is_known = after is None or feed.knows(after)
    listener = feed.listen(number, after if is_known else None)
    stream = _stream(listener, admission, reader_language(), ending, is_known=is_known)
    # The answer to HEAD has no body, so it must end: the caller's next request waits behind it.
    response = Response(b"" if request.method == "HEAD" else stream)
    response.content_type = f"{STREAM}; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.timeout = None
    return response


class Admission:
    """Asks from time to time whether the token of a listener still opens the number."""

    def __init__(self, tokens: TokenCache, number: str, token: str) -> None:
        self._tokens = tokens
        self.number = number
        self._token = token
        self._due = asyncio.get_running_loop().time() + HEARTBEAT

    async def holds(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._due:
            return True
        self._due = now + HEARTBEAT
        with suppress(DatabaseError):  # the token is checked again later
            return await self._tokens.opens(self.number, self._token)
        return True


async def _admit(number: str | None) -> Admission | None:
    """Admit the operator, or the owner of the number as long as the token is its token."""
    if number is None:
        context().authenticator.require_operator(request)
        return None
    digits, who = await admit_as(number)
    if who == OPERATOR:
        return None
    return Admission(context().gateway.tokens, digits, presented_key(request))


def _newest_seen() -> int | None:
    seen = request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= LONGEST_ID else None


async def _stream(
    listener: Listener,
    admission: Admission | None,
    language: str,
    ending: asyncio.Event | None,
    *,
    is_known: bool,
) -> AsyncIterator[bytes]:
    with listener:
        yield f"retry: {RETRY}\n\n".encode()
        if not is_known:
            yield _render("reset", {})
        end = asyncio.ensure_future(ending.wait()) if ending else None
        try:
            with suppress(TooSlow):
                async for event in events_or_silence(listener, end):
                    if admission is not None and not await admission.holds():
                        return
                    yield b": still here\n\n" if event is None else _describe(event, language)
        finally:
            if end is not None:
                end.cancel()


async def events_or_silence(
    listener: Listener, end: asyncio.Future[Any] | None
) -> AsyncIterator[Event | None]:
    """Yield events, and None when nothing happened for a while, until the server stops."""
    ends = set() if end is None else {end}
    waiting: asyncio.Future[Event] | None = None
    try:
        while end is None or not end.done():
            waiting = waiting or asyncio.ensure_future(listener.next())
            await asyncio.wait(
                {waiting, *ends}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
            )
            if waiting.done():
                event, waiting = waiting.result(), None
                yield event
            elif end is None or not end.done():
                yield None  # the same wait goes on, because it may already have an event
    finally:
        if waiting is not None:
            waiting.cancel()


def _describe(event: Event, language: str) -> bytes:
    match event.what:
        case MessageCounts(number, backlog, dead):
            counts = {
                "number": number,
                "backlog": describe_count(backlog).model_dump(by_alias=True),
                "dead": describe_count(dead).model_dump(by_alias=True),
            }
            return _render("messages", counts, event.id)
        case change:
            return _render("number", _describe_change(change, language), event.id)


def _describe_change(change: Change, language: str) -> dict[str, Any]:
    cause = change.cause
    error = cause and describe_error(
        LastError(cause.code, "", "", cause.detail), change.state, language
    )
    return {
        "number": change.number,
        "client": change.client,
        "status": status_of(change.state),
        "state": change.state,
        "attention": attention_to(change.state, cause.code if cause else None),
        "since": moment(change.at).isoformat(),
        "last_error": error and error.model_dump(),
    }


def _render(kind: str, data: dict[str, Any], event_id: int | None = None) -> bytes:
    lines = [f"event: {kind}", f"data: {json.dumps(data, ensure_ascii=False)}"]
    if event_id is not None:
        lines.insert(0, f"id: {event_id}")
    return ("\n".join(lines) + "\n\n").encode()
