"""The calls that list, show, and restart numbers."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.admission import admit, admit_as, audited
from api.context import context
from api.numbers.answers import NumberAnswer, NumbersAnswer, StateAnswer, describe
from api.numbers.models import Chosen
from api.numbers.summary import summarise
from api.requests.body import read_query, validate
from api.requests.models import respond
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, needs
from api.texts import reader_language

blueprint = Blueprint("numbers", __name__, url_prefix="/numbers")


@blueprint.get("")
@tag(["numbers"])
@needs(ADMIN)
@document_querystring(Chosen)
@document_response(NumbersAnswer)
async def get_numbers() -> Response:
    """List all numbers, or those of one client or in one state, and add them up."""
    context().authenticator.require_operator(request)
    chosen = validate(Chosen, read_query(request))
    views = await context().gateway.numbers(chosen.client, chosen.state)
    merging = (await context().gateway.page_merging()).value
    language = reader_language()
    numbers = [describe(view, language) for view in views]
    summary = summarise(views, language)
    return respond(NumbersAnswer(numbers=numbers, summary=summary, merging=merging))


@blueprint.get("/<number>")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(NumberAnswer)
async def get_number(number: str) -> Response:
    """Show everything about one number."""
    digits = await admit(number)
    return respond(describe(await context().gateway.show(digits), reader_language()))


@blueprint.post("/<number>/restart")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(StateAnswer)
async def post_restart(number: str) -> Response:
    """Stop a number and start it again."""
    digits, who = await admit_as(number)
    await audited(context().gateway.restart(digits), who, "restarted", digits)
    view = await context().gateway.show(digits)
    return respond(StateAnswer(status=view.status, state=view.state))
