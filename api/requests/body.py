"""Reads the fields of a call strictly: what cannot be read is an error, never empty."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from api.requests.errors import ApiError, invalid, invalid_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quart import Request

Model = TypeVar("Model", bound=BaseModel)
Fields = dict[str, Any]
Pairs = list[tuple[str, Any]]
SMALL = 64 * 1024  # bytes; more than all fields of a number at their longest
LARGEST = 1024 * 1024  # bytes; the most that the server reads of any body
_MOST_FIELDS = 100
_UNSOUND = "must not contain NUL or half of a surrogate pair"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request, limit: int = SMALL) -> Fields:
    return _unique(await read_pairs(request, limit))


async def read_pairs(request: Request, limit: int) -> Pairs:
    """Read the fields of a body; some of them may repeat."""
    raw = await _whole(request)
    if len(raw) > limit:
        raise RequestEntityTooLarge
    if not raw:
        raise invalid("body", "is empty")
    _check_encoding(request)
    text = _decode(raw)
    return _sound(_from_json(text) if request.mimetype == _JSON else _from_form(text))


async def _whole(request: Request) -> bytes:
    """Wait for the whole body here, where the framework would start a task to wait for it."""
    try:
        async with asyncio.timeout(request.body_timeout):
            whole: bytes = await request.body
    except TimeoutError as exc:
        raise RequestTimeout from exc
    return whole


async def read_body_or_query(request: Request, names: frozenset[str]) -> Fields:
    """Read the body; if there is none, read the fields with these names from the query."""
    if await request.get_data():
        return await read_body(request)
    return {name: value for name, value in read_query(request).items() if name in names}


def read_query(request: Request) -> Fields:
    return _unique(_sound(_from_form(_decode(request.query_string))))


def validate(model: type[Model], fields: Fields, **context: Any) -> Model:
    try:
        return model.model_validate(fields, context=context)
    except ValidationError as exc:
        raise invalid_fields(exc) from exc


def _check_encoding(request: Request) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in {_JSON, _FORM}:
        raise _unsupported(f"send {_JSON} or {_FORM}")
    if charset not in {"utf-8", "utf8"} or request.headers.get("Content-Encoding"):
        raise _unsupported("send UTF-8 without a content encoding")


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise invalid("body", "is not UTF-8") from exc


def _from_json(text: str) -> Pairs:
    try:
        fields = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as exc:
        raise invalid("body", "is nested too deeply") from exc
    except ValueError as exc:
        raise invalid("body", "is not JSON") from exc
    if not isinstance(fields, dict):
        raise invalid("body", "must be a JSON object")
    return list(fields.items())


def _from_form(text: str) -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError as exc:
        raise invalid("body", "is not UTF-8") from exc
    except ValueError as exc:
        raise invalid("body", f"has more than {_MOST_FIELDS} fields") from exc


def _sound(pairs: Pairs) -> Pairs:
    """Refuse what no database can store, at any depth: NUL and half of a surrogate pair."""
    for name, value in pairs:
        if not _is_sound(name):
            raise invalid("body", _UNSOUND)
        try:
            is_sound = _is_sound(value)
        except RecursionError as exc:
            raise invalid("body", "is nested too deeply") from exc
        if not is_sound:
            raise invalid(name, _UNSOUND)
    return pairs


def _is_sound(value: Any) -> bool:
    match value:
        case str():
            return "\0" not in value and not _has_half(value)
        case list():
            return all(map(_is_sound, value))
        case dict():
            return all(map(_is_sound, value)) and all(map(_is_sound, value.values()))
        case _:
            return True


def _has_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _unique(pairs: Iterable[tuple[str, Any]]) -> Fields:
    fields: Fields = {}
    for name, value in pairs:
        if name in fields:
            raise invalid(name, "is given more than once")
        fields[name] = value
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _unsupported(detail: str) -> ApiError:
    return ApiError(415, "unsupported_media_type", detail)
