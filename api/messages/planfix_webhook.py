"""The call by which Planfix delivers the messages of employees."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag

from api.context import context
from api.messages.planfix_form import (
    LARGEST_CALL,
    AcceptedAnswer,
    PlanfixMessage,
    as_planfix_says,
    gather,
    invalid_parameters,
    read_call,
)
from api.requests.body import read_pairs
from api.requests.errors import ApiError, unauthorized
from api.requests.fields import normalise_number
from api.requests.models import respond
from supervisor.errors import MessageEmpty, MessageTooLarge, RecipientUnknown

blueprint = Blueprint("message", __name__, url_prefix="/webhook")


@blueprint.post("/message")
@tag(["planfix"])
@document_request(PlanfixMessage)
@document_response(AcceptedAnswer)
async def post_message() -> Response:
    """Accept a message that an employee wrote in Planfix."""
    try:
        fields = gather(await read_pairs(request, LARGEST_CALL))
        number = await _admit(fields)
    except ApiError as exc:
        raise as_planfix_says(exc) from exc
    draft = read_call(fields).as_draft()
    try:
        accepted = await context().work.run(context().gateway.messages.accept(number, draft))
    except (MessageEmpty, MessageTooLarge, RecipientUnknown) as exc:
        raise invalid_parameters(str(exc)) from exc
    return respond(AcceptedAnswer(chatId=accepted.chat_id, contactId=accepted.contact_id))


async def _admit(fields: dict[str, Any]) -> str:
    """Return the number that the call names, if its key is valid for that number."""
    channel = fields.get("channel")
    if channel in (None, ""):
        return await _let_in(fields, None)
    try:
        meant = normalise_number(channel)
    except ValueError as exc:
        # Only a caller with a valid key learns what is wrong with the call.
        await _let_in(fields, None)
        raise invalid_parameters("channel must be a phone number") from exc
    return await _let_in(fields, meant)


async def _let_in(fields: dict[str, Any], channel: str | None) -> str:
    authenticator, token = context().authenticator, fields.get("token")
    if not token:
        return await authenticator.admit_channel(request, channel)
    if not isinstance(token, str):
        raise unauthorized()
    return await authenticator.require_token(request, token, channel)
