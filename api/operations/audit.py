"""The audit log, for the operator to read."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import context
from api.login.models import AuditAnswer, AuditQuery, AuditsAnswer
from api.numbers.models import say
from api.requests.body import read_query, validate
from api.requests.openapi import ADMIN, needs

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@tag(["audit"])
@needs(ADMIN)
@document_querystring(AuditQuery)
@document_response(AuditsAnswer)
async def get_audit() -> Response:
    """Tell who did what to which number."""
    context().door.admit_operator(request)
    asked = validate(AuditQuery, read_query(request))
    entries = await context().gateway.list_audit(asked.number, asked.before, asked.limit)
    return say(AuditsAnswer(entries=[AuditAnswer.model_validate(entry) for entry in entries]))
