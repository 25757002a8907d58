"""The calls that list, show, and restart numbers."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.admission import admit, admit_as, audited
from api.context import context
from api.nodes.fleet import views_of_all_nodes
from api.numbers.models import NumberAnswer, NumbersAnswer, OfClient, StateAnswer, describe
from api.requests.body import read_query, validate
from api.requests.models import respond
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, needs

blueprint = Blueprint("numbers", __name__, url_prefix="/numbers")


@blueprint.get("")
@tag(["numbers"])
@needs(ADMIN)
@document_querystring(OfClient)
@document_response(NumbersAnswer)
async def get_numbers() -> Response:
    """List all numbers, or those of one client."""
    context().authenticator.require_operator(request)
    client = validate(OfClient, read_query(request)).client
    views = await views_of_all_nodes(client)
    merging = (await context().gateway.page_merging()).value
    return respond(NumbersAnswer(numbers=[describe(view) for view in views], merging=merging))


@blueprint.get("/<number>")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(NumberAnswer)
async def get_number(number: str) -> Response:
    """Show everything about one number."""
    digits = await admit(number)
    return respond(describe(await context().gateway.show(digits)))


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
