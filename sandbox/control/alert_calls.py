"""The calls below `/alerts`: a receiver of the gateway's alarms, which keeps what it gets."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

from pydantic import Field
from quart import Blueprint, current_app, request

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.order import Order

Json = dict[str, Any]

MOST_KEPT = 10_000
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")

blueprint = Blueprint("alerts", __name__, url_prefix="/alerts")


def received() -> list[Json]:
    kept: list[Json] = current_app.extensions["alerts"]
    return kept


@blueprint.post("")
async def post_alert() -> Json:
    """Take an alarm, or refuse it under a fault; its signature is kept for those who check it."""
    status = current_app.extensions["alert_fault"].get("status")
    if status is not None:
        raise ControlError(status, "fault", "this fault was asked for")
    raw = await request.get_data(as_text=True)
    try:
        body = json.loads(raw)
    except ValueError as exc:
        raise ControlError(400, "invalid_request", "an alarm is JSON") from exc
    if not isinstance(body, dict):
        raise ControlError(400, "invalid_request", "an alarm is a JSON object")
    headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
    alarm = {**body, "body": body, "headers": headers, "raw": raw, "received_at": time.time()}
    received().append(alarm)
    del received()[:-MOST_KEPT]
    return {}


class AlertFault(Order):
    """A request to refuse all alarms with a status."""

    status: Annotated[int, Field(ge=400, le=599)] = 503


@blueprint.post("/faults")
async def post_fault() -> Json:
    current_app.extensions["alert_fault"]["status"] = (await read_body(AlertFault)).status
    return {}


@blueprint.delete("/faults")
async def delete_faults() -> Json:
    current_app.extensions["alert_fault"].clear()
    return {}


@blueprint.get("")
async def get_alerts() -> list[Json]:
    """List the alarms in the order in which they came."""
    return received()
