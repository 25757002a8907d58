"""The call by which scripts of Planfix report what happened to a task."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from http import HTTPStatus
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
_ENCODINGS = frozenset({"windows-1251", "cp1251", "koi8-r", "koi8-u", "iso-8859-1", "utf-16"})

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
    task, encoding = request.headers.get("X-Planfix-Task"), _encoding_of(raw)
    return await beside_loop(len(raw), _fields_of, raw, encoding, boundary, task)


def _fields_of(raw: bytes, encoding: str, boundary: str | None, task: str | None) -> Fields:
    text = raw.decode(encoding, errors="replace").replace("\0", "")
    if text.lstrip().startswith(("{", "`", "\ufeff")):
        return repair_json(text) or {}
    values: dict[str, list[str]] = {}
    pairs = _form_of(text, encoding) if boundary is None else _parts_of(raw, boundary)
    for name, value in pairs:
        values.setdefault(name.removesuffix("[]"), []).append(value)
    fields: Fields = {
        name: given[0] if len(given) == 1 else given for name, given in values.items()
    }
    return {"task": task, **fields} if task else fields


def _encoding_of(raw: bytes) -> str:
    """Return the encoding that the call names, or else the one in which the body begins."""
    named = request.mimetype_params.get("charset", "").lower()
    return named if named in _ENCODINGS else json.detect_encoding(raw)


def _form_of(text: str, encoding: str) -> list[tuple[str, str]]:
    """Return the fields of a form; none if it has too many of them."""
    try:
        return parse_qsl(
            text, keep_blank_values=True, encoding=encoding, max_num_fields=MOST_FIELDS
        )
    except ValueError:
        return []


def _parts_of(raw: bytes, boundary: str) -> list[tuple[str, str]]:
    """Return the fields of a form in parts; none if it has too many of them, or is cut off."""
    parser = MultiPartParser(max_form_parts=MOST_FIELDS)
    try:
        form, _ = parser.parse(BytesIO(raw), boundary.encode(), len(raw))
    except (ValueError, RequestEntityTooLarge):
        return []
    return list(form.items(multi=True))


async def _admit(fields: Fields) -> str:
    token = fields.get("token") or _key_in_headers()
    if not isinstance(token, str) or not token:
        raise unauthorized()
    try:
        return await context().authenticator.require_token(request, token, None)
    except ApiError as error:
        if error.status == HTTPStatus.UNAUTHORIZED:  # who guesses too often fills no log
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
