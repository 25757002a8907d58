"""How the gateway is, for platforms that watch it."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_response, tag

from api.answers import HealthAnswer, say
from api.context import context
from api.errors import ApiError
from api.metrics import CONTENT_TYPE, render_metrics
from api.openapi import ADMIN, gives, needs

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@tag(["health"])
@document_response(HealthAnswer)
async def get_healthz() -> Response:
    """Answer while the process serves; no worker is asked."""
    return say(HealthAnswer(status="ok"))


@blueprint.get("/readyz")
@tag(["health"])
@document_response(HealthAnswer)
async def get_readyz() -> Response:
    """Say whether every number that should run has been started."""
    readiness = await context().gateway.readiness()
    if not readiness.ok:
        raise ApiError(503, "not_ready", readiness.reason or "not ready")
    return say(HealthAnswer(status="ready"))


@blueprint.get("/metrics")
@tag(["health"])
@needs(ADMIN)
@gives(CONTENT_TYPE)
async def get_metrics() -> Response:
    """Give the figures that Prometheus collects."""
    context().door.admit_operator(request)
    gateway = context().gateway
    old_keys = await gateway.count_old_keys()
    merging = await gateway.page_merging()
    text = render_metrics(await gateway.numbers(), await gateway.readiness(), merging, old_keys)
    return Response(text, content_type=CONTENT_TYPE)
