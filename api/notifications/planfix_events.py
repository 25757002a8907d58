"""The call by which scripts of Planfix report what happened to a task."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from api.context import context
from api.notifications.calls import answer_of
from api.notifications.models import NotifyAnswer, PlanfixEventBody
from api.requests.body import LARGEST, respond
from api.requests.errors import ApiError, unauthorized
from supervisor.errors import GatewayError, NumberElsewhere
from supervisor.notifications.notice import beside_loop
from supervisor.notifications.planfix_event import read_event, repair_json

if TYPE_CHECKING:
    from supervisor.notifications.planfix_event import Fields

MOST_FIELDS = 1000

logger = logging.getLogger(__name__)
blueprint = Blueprint("planfix_events", __name__, url_prefix="/webhook")


@blueprint.post("/planfix-event")
@tag(["planfix"])
@document_request(PlanfixEventBody)
@document_response(NotifyAnswer)
async def post_planfix_event() -> Response:
    """Notify people of something that happened to a task.

    Everything but a wrong key is answered with 200: Planfix takes any other status for a failure,
    repeats the call and then keeps silent for minutes.
    """
    fields = await _read_fields()
    number = await _admit(fields)
    event = await asyncio.to_thread(read_event, fields)
    if event.unknown_variables:
        names = ", ".join(event.unknown_variables)[:500]
        logger.warning("bot %s: Planfix does not know the variables %s", number, names)
    try:
        accepted = await context().work.run(context().gateway.planfix_events.accept(number, event))
    except NumberElsewhere:
        raise
    except GatewayError as error:
        logger.warning("bot %s: an event of Planfix was dropped: %s", number, error)
        return respond(NotifyAnswer(id=None, accepted=0, rejected=[]))
    return respond(answer_of(accepted))


async def _read_fields() -> Fields:
    """Read a form or anything like JSON, whatever its content type says."""
    try:
        raw = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    except RequestEntityTooLarge:
        return {}
    if len(raw) > LARGEST:
        return {}
    is_parted = request.mimetype == "multipart/form-data"
    boundary = request.mimetype_params.get("boundary", "") if is_parted else None
    task = request.headers.get("X-Planfix-Task")
    return await beside_loop(len(raw), _fields_of, raw, boundary, task)


def _fields_of(raw: bytes, boundary: str | None, task: str | None) -> Fields:
    text = raw.decode(errors="replace").replace("\0", "")
    if text.lstrip().startswith(("{", "`", "\ufeff")):
        return repair_json(text) or {}
    values: dict[str, list[str]] = {}
    for name, value in _pairs(raw, text, boundary):
        values.setdefault(name.removesuffix("[]"), []).append(value)
    fields: Fields = {
        name: given[0] if len(given) == 1 else given for name, given in values.items()
    }
    return {"task": task, **fields} if task else fields


def _pairs(raw: bytes, text: str, boundary: str | None) -> list[tuple[str, str]]:
    """Return the fields of a form; none if it has too many of them, or is cut off."""
    try:
        if boundary is not None:
            parser = MultiPartParser(max_form_parts=MOST_FIELDS)
            form, _ = parser.parse(BytesIO(raw), boundary.encode(), len(raw))
            return list(form.items(multi=True))
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (ValueError, RequestEntityTooLarge):
        return []


async def _admit(fields: Fields) -> str:
    token = fields.get("token") or _key_in_headers()
    if not isinstance(token, str) or not token:
        raise unauthorized()
    try:
        return await context().authenticator.require_token(request, token, None)
    except ApiError as error:
        logger.warning("an event of Planfix has a wrong key")
        raise error from None


def _key_in_headers() -> str:
    """Read the key from `Token`, from a bearer, or from the password of a Basic login."""
    header = request.headers.get("Authorization", "").strip()
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    if scheme.lower() == "bearer":
        return rest.strip()
    return request.headers.get("Token", "").strip() or header
