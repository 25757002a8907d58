"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import context
from api.requests.body import Answer, normalise_number, read_query, respond, validate
from api.requests.openapi import ADMIN, needs
from supervisor.store.values import AuditEntry

MOST_ENTRIES = 500


class AuditQuery(BaseModel):
    """Selects entries of the audit log."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    number: Annotated[
        str | None,
        BeforeValidator(lambda value: value and normalise_number(value)),
        WithJsonSchema({"type": "string", "pattern": r"^\+?[0-9]{5,15}$"}),
    ] = None
    before: int | None = Field(None, ge=1, le=2**53, description="only entries with a smaller id")
    limit: int = Field(100, ge=1, le=MOST_ENTRIES)


class AuditsAnswer(Answer):
    """Entries of the audit log, newest first."""

    entries: tuple[AuditEntry, ...]


blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@tag(["audit"])
@needs(ADMIN)
@document_querystring(AuditQuery)
@document_response(AuditsAnswer)
async def get_audit() -> Response:
    """List who did what to which number, newest first."""
    context().authenticator.require_operator(request)
    asked = validate(AuditQuery, read_query(request))
    entries = await context().gateway.audit.list(asked.number, asked.before, asked.limit)
    return respond(AuditsAnswer(entries=entries))
