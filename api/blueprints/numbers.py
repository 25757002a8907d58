"""The operator's calls on the numbers."""

from __future__ import annotations

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.answers import NumberAnswer, NumbersAnswer, StateAnswer, describe, say
from api.body import read_query, validate
from api.context import context
from api.deed import carry_out, name_of
from api.errors import not_found
from api.fields import normalise_number
from api.openapi import ADMIN, ADMIN_OR_TOKEN, needs
from api.schemas import OfClient

blueprint = Blueprint("numbers", __name__, url_prefix="/numbers")


@blueprint.get("")
@tag(["numbers"])
@needs(ADMIN)
@document_querystring(OfClient)
@document_response(NumbersAnswer)
async def get_numbers() -> Response:
    """List all numbers, or one client's."""
    context().door.admit_operator(request)
    client = validate(OfClient, read_query(request)).client
    views = await context().gateway.numbers(client)
    merging = (await context().gateway.page_merging()).value
    return say(NumbersAnswer(numbers=[describe(view) for view in views], merging=merging))


@blueprint.get("/<number>")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(NumberAnswer)
async def get_number(number: str) -> Response:
    """Tell everything about one number."""
    digits = await admit(number)
    return say(describe(await context().gateway.show(digits)))


@blueprint.post("/<number>/restart")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(StateAnswer)
async def post_restart(number: str) -> Response:
    """Stop a number and start it."""
    digits, who = await admit_as(number)
    await carry_out(context().gateway.restart(digits), who, "restarted", digits)
    view = await context().gateway.show(digits)
    return say(StateAnswer(status=view.status, state=view.state))


async def admit(number: str) -> str:
    """Let the operator in, or the client whose number it is; return the number's digits."""
    return (await admit_as(number))[0]


async def admit_as(number: str) -> tuple[str, str]:
    """Do the same, say besides who it is for the audit log."""
    try:
        digits = normalise_number(number)
    except ValueError as exc:
        context().door.admit_operator(request)
        raise not_found() from exc
    is_operator = await context().door.admit_either(request, digits)
    return digits, name_of(is_operator=is_operator)
