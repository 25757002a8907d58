"""The alarms that were sent, and what a receiver needs to check them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import context
from api.requests.body import Answer, read_query, respond, validate
from api.requests.openapi import ADMIN, needs

if TYPE_CHECKING:
    from supervisor.store.history import StoredAlarm


class AlarmsPage(BaseModel):
    """How many alarms to show."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: int = Field(100, ge=1, le=1000)


class AlarmAnswer(Answer):
    """An alarm, and its state."""

    id: str = Field(description="the `webhook-id` of its delivery")
    type: str
    at: datetime
    numbers: list[str]
    client: str | None
    state: str | None = Field(description="the state of the numbers, if they are in the same one")
    cause: str | None = Field(description="a code of `last_error`, a state, or `backlog_old`")
    detail: str = Field(description="what happened, in LANGUAGE")
    action: str = Field(description="who has to do what, in LANGUAGE")
    delivery: Literal["pending", "delivered", "dead"] = Field(
        description="`dead`: the receiver did not accept it for three days, or answered 410"
    )
    attempts: int
    error: str | None = Field(description="why the last delivery failed")
    done: datetime | None = Field(description="when it was delivered or given up")


class AlarmsAnswer(Answer):
    """The alarms, newest first."""

    url: str | None = Field(description="ALERT_URL")
    secret: str = Field(description="checks `webhook-signature`, as Standard Webhooks describes")
    alarms: list[AlarmAnswer]


blueprint = Blueprint("alarms", __name__)


@blueprint.get("/alarms")
@tag(["alarms"])
@needs(ADMIN)
@document_querystring(AlarmsPage)
@document_response(AlarmsAnswer)
async def get_alarms() -> Response:
    """List the alarms of RETENTION_DAYS, newest first, and show the secret of their signatures."""
    context().authenticator.require_operator(request)
    page = validate(AlarmsPage, read_query(request))
    alarms = context().gateway.monitor.alarms
    stored = await alarms.list_newest(page.limit)
    listed = [_describe(each) for each in stored]
    return respond(AlarmsAnswer(url=alarms.url or None, secret=alarms.secret, alarms=listed))


def _describe(alarm: StoredAlarm) -> AlarmAnswer:
    return AlarmAnswer.model_validate(
        {
            **json.loads(alarm.body),
            "delivery": alarm.state,
            "attempts": alarm.attempts,
            "error": alarm.error,
            "done": alarm.done,
        }
    )
