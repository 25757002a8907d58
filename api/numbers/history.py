"""A number's past over HTTP, and the test of its Planfix."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response, tag

from api.context import admit, context
from api.numbers.answers import LastErrorAnswer, Status, describe_error
from api.requests.addresses import PlanfixAddress
from api.requests.body import (
    AbsentIfEmpty,
    Answer,
    Body,
    PlanfixToken,
    ProviderId,
    read_body,
    read_filters,
    respond,
    validate,
)
from api.requests.openapi import ADMIN_OR_TOKEN, needs
from api.texts import reader_language
from supervisor.monitoring.planfix_check import Draft, Finding
from supervisor.numbers.state import State, status_of
from supervisor.store.values import LastError
from supervisor.texts.state import PLANFIX_CHECKS

if TYPE_CHECKING:
    from supervisor.store.history import PastState


class HistoryPage(BaseModel):
    """Selects states of a number."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: int = Field(100, ge=1, le=1000)
    before: int | None = Field(None, ge=1, le=2**53, description="only states with a smaller id")


class PastStateAnswer(Answer):
    """A state that the number came into, or a trouble that began or ended."""

    id: int
    at: datetime
    state: State
    status: Status
    cause: LastErrorAnswer | None = Field(
        description="why the number was not well, in the language of the reader"
    )


class HistoryAnswer(Answer):
    """The states of a number, newest first: the last 1000 of the last RETENTION_DAYS."""

    states: list[PastStateAnswer]


class TestedPlanfix(Body):
    """Settings to test before they are saved; what is left out is taken from the number."""

    url_planfix: Annotated[PlanfixAddress | None, AbsentIfEmpty] = None
    token_planfix: Annotated[PlanfixToken | None, AbsentIfEmpty] = Field(None, repr=False)
    provider_id: Annotated[ProviderId | None, AbsentIfEmpty] = None


class PlanfixAnswer(Answer):
    """Whether Planfix answers a harmless question of this number."""

    ok: bool
    code: Finding = Field(description="what is wrong: the address, the key, or the provider")
    detail: str = Field(description="the same in words, in the language of the reader")
    answer: str = Field(description="what Planfix or the network answered; may be empty")


blueprint = Blueprint("history", __name__, url_prefix="/numbers/<number>")


@blueprint.get("/history")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(HistoryPage)
@document_response(HistoryAnswer)
async def get_history(number: str) -> Response:
    """List the states of a number with their causes, newest first."""
    digits = await admit(number)
    await context().gateway.show(digits)
    page = validate(HistoryPage, read_filters(request))
    states = await context().gateway.history.list(digits, page.before, page.limit)
    language = reader_language()
    return respond(HistoryAnswer(states=[_describe(each, language) for each in states]))


@blueprint.post("/planfix/test")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_request(TestedPlanfix)
@document_response(PlanfixAnswer)
async def post_planfix_test(number: str) -> Response:
    """Ask Planfix a harmless question with the number's settings, or with others."""
    digits = await admit(number)
    fields = await read_body(request) if await request.get_data() else {}
    allow_private = context().settings.allow_private_planfix
    tested = validate(TestedPlanfix, fields, allow_private_planfix=allow_private)
    draft = Draft(tested.url_planfix, tested.token_planfix, tested.provider_id)
    checked = await context().gateway.planfix_check.check(digits, draft)
    answer = PlanfixAnswer(
        ok=checked.finding is Finding.OK,
        code=checked.finding,
        detail=PLANFIX_CHECKS[reader_language()][checked.finding],
        answer=checked.detail,
    )
    return respond(answer)


def _describe(past: PastState, language: str) -> PastStateAnswer:
    state = State(past.state)
    error = LastError(past.code, "", "", past.detail or "") if past.code else None
    return PastStateAnswer(
        id=past.id,
        at=past.at,
        state=state,
        status=status_of(state),
        cause=error and describe_error(error, state, language),
    )
