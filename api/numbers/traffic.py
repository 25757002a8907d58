"""What was delivered in the last hour, and what the worker of a number has logged lately."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import admit, admit_operator_to, context, require_here
from api.nodes.fleet import hours_of_all_nodes
from api.requests.body import Answer, read_query, respond, validate
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, needs
from supervisor.monitoring.last_hour import MINUTE, Minute, whole_hour
from supervisor.store.history import moment

if TYPE_CHECKING:
    from collections.abc import Iterable


class MinuteAnswer(Answer):
    """What was delivered in one minute."""

    at: datetime = Field(description="when the minute began")
    into: int = Field(serialization_alias="in", description="messages delivered to Planfix")
    out: int = Field(description="messages delivered to Telegram")
    delay_in: float | None = Field(description="seconds that one to Planfix took on average")
    delay_out: float | None = Field(description="seconds that one to Telegram took on average")


class TrafficAnswer(Answer):
    """The last hour of a number since the gateway was started, a minute for each entry."""

    minutes: list[MinuteAnswer] = Field(description="60 minutes, oldest first")


class NumberTrafficAnswer(Answer):
    """How many messages of a number were delivered in each minute."""

    number: str = Field(description="digits without +")
    counts: list[int] = Field(description="both directions together, oldest first")


class AllTrafficAnswer(TrafficAnswer):
    """The last hour of all numbers together, and that of each number which delivered something."""

    numbers: list[NumberTrafficAnswer] = Field(description="numbers without traffic are left out")


class AfterLine(BaseModel):
    """Selects lines of a log."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    after: int | None = Field(None, ge=0, le=2**53, description="only lines with a greater id")


class LineAnswer(Answer):
    """A line of the log, without secrets."""

    id: int = Field(description="grows, even across restarts of the gateway")
    at: datetime
    level: str = Field(description="`GATEWAY` marks what the gateway itself says of the process")
    text: str = Field(description="cut after 500 characters")


class LogAnswer(Answer):
    """The newest lines of the number's process, at most 200, kept in memory."""

    lines: list[LineAnswer] = Field(description="oldest first")


blueprint = Blueprint("traffic", __name__)


@blueprint.get("/traffic")
@tag(["numbers"])
@needs(ADMIN)
@document_response(AllTrafficAnswer)
async def get_traffic() -> Response:
    """Show what all numbers delivered in the last hour, minute by minute."""
    context().authenticator.require_operator(request)
    now = time.time()
    hours = await hours_of_all_nodes()
    counted = {number: whole_hour([hour], now) for number, hour in hours.items()}
    numbers = [
        NumberTrafficAnswer(number=number, counts=counts)
        for number, hour in sorted(counted.items())
        if any(counts := [each.into.messages + each.out.messages for each in hour])
    ]
    total = _describe(whole_hour(hours.values(), now))
    return respond(AllTrafficAnswer(minutes=total, numbers=numbers))


@blueprint.get("/numbers/<number>/traffic")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(TrafficAnswer)
async def get_number_traffic(number: str) -> Response:
    """Show what a number delivered in the last hour, minute by minute."""
    digits = await admit(number)
    await context().gateway.show(digits)
    now = time.time()
    hour = context().gateway.monitor.hours_now(now).get(digits, ())
    return respond(TrafficAnswer(minutes=_describe(whole_hour([hour], now))))


@blueprint.get("/numbers/<number>/log")
@tag(["numbers"])
@needs(ADMIN)
@document_querystring(AfterLine)
@document_response(LogAnswer)
async def get_log(number: str) -> Response:
    """Show what the process of a number has logged lately; only the operator may read it."""
    digits = admit_operator_to(number)
    await require_here(digits)
    await context().gateway.show(digits)
    after = validate(AfterLine, read_query(request)).after
    lines = [
        LineAnswer(id=each.id, at=moment(each.at), level=each.level, text=each.text)
        for each in context().gateway.log_of(digits).after(after)
    ]
    return respond(LogAnswer(lines=lines))


def _describe(hour: Iterable[Minute]) -> list[MinuteAnswer]:
    return [
        MinuteAnswer(
            at=moment(each.minute * MINUTE),
            into=each.into.messages,
            out=each.out.messages,
            delay_in=each.into.delay,
            delay_out=each.out.delay,
        )
        for each in hour
    ]
