"""The bodies of calls and answers: their fields, and strict reading, so that a malformed field is an error and not an empty one."""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from quart import Response
from werkzeug.exceptions import RequestEntityTooLarge

from api.requests.errors import ApiError, invalid, invalid_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quart import Request

    from api.requests.uploads import CallBody

Model = TypeVar("Model", bound=BaseModel)
Fields = dict[str, Any]
Pairs = list[tuple[str, Any]]
SMALL = 64 * 1024  # bytes; more than all fields of a number at their longest
LARGEST = 1024 * 1024  # bytes; the most that the server reads of any body
MOST_FIELDS = 100
_UNSOUND = "must not contain NUL or half of a surrogate pair"
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request, limit: int = SMALL) -> Fields:
    return require_unique(await read_pairs(request, limit))


async def read_pairs(request: Request, limit: int, most: int = MOST_FIELDS) -> Pairs:
    """Read the fields of a body, at most so many in a form; some of them may repeat."""
    raw = await cast("CallBody", request.body).read(request.body_timeout)
    if len(raw) > limit:
        raise RequestEntityTooLarge
    if not raw:
        raise invalid("body", "is empty")
    _check_encoding(request)
    read = partial(_read, raw, most, is_json=request.mimetype == _JSON)
    # Nobody has shown a key yet, and the event loop answers the beats of all workers.
    return read() if len(raw) <= SMALL else await asyncio.to_thread(read)


def _read(raw: bytes, most: int, *, is_json: bool) -> Pairs:
    text = _decode(raw, "body")
    return _sound(_from_json(text) if is_json else _from_form(text, most))


async def read_body_or_query(request: Request, names: frozenset[str]) -> Fields:
    """Read the body; if there is none, read the fields with these names from the query."""
    if await request.get_data():
        return await read_body(request)
    return {name: value for name, value in read_query(request).items() if name in names}


def read_query(request: Request) -> Fields:
    return require_unique(_sound(_from_form(_decode(request.query_string, "query"), place="query")))


def read_filters(request: Request) -> Fields:
    """Read the query; a filter without a value is none."""
    return {name: value for name, value in read_query(request).items() if value}


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


def _decode(raw: bytes, place: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise invalid(place, "is not UTF-8") from exc


def _from_json(text: str) -> Pairs:
    try:
        fields = json.loads(text, object_pairs_hook=require_unique, parse_constant=_no_constant)
    except RecursionError as exc:
        raise invalid("body", "is nested too deeply") from exc
    except ValueError as exc:
        raise invalid("body", "is not JSON") from exc
    if not isinstance(fields, dict):
        raise invalid("body", "must be a JSON object")
    return list(fields.items())


def _from_form(text: str, most: int = MOST_FIELDS, place: str = "body") -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=most)
    except UnicodeDecodeError as exc:
        raise invalid(place, "is not UTF-8") from exc
    except ValueError as exc:
        raise invalid(place, f"has more than {most} fields") from exc


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


def require_unique(pairs: Iterable[tuple[str, Any]]) -> Fields:
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


_NUMBER = re.compile(r"\+?([0-9]{5,15})")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\+?[0-9]{5,15}\s*$"},
        {"type": "integer", "minimum": 10_000, "maximum": 10**15 - 1},
    ],
    "description": "the phone number in international format, with or without +",
    "examples": ["380955821319"],
}


def normalise_number(value: Any) -> str:
    """Return the digits of a number that is written as text or as an integer."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**15 else ""
    # In a query, a plus sign that was not escaped arrives as a space.
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be 5 to 15 digits, with or without +")
    return found[1]


def _printable(text: str) -> str:
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
        raise ValueError("must not contain control characters")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _is_text(value: Any) -> Any:
    # Checked first, because a lone surrogate breaks the validators that follow.
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("must be text")
    return value


def _without_tilde(text: str) -> str:
    if "~" in text:
        raise ValueError("must not contain ~")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address")
    return text


Text = Annotated[
    str, BeforeValidator(_is_text), AfterValidator(_printable), AfterValidator(_filled)
]
Digits = Annotated[str, BeforeValidator(normalise_number), WithJsonSchema(_NUMBER_SCHEMA)]
ClientName = Annotated[Text, Field(min_length=1, max_length=200)]
PlanfixToken = Annotated[Text, Field(min_length=1, max_length=1000)]
ProviderId = Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(_without_tilde)]
NewProviderId = Annotated[
    ProviderId, BeforeValidator(lambda value: "telegram" if value == "" else value)
]
"""Of a new number or bot; an empty field of a form is left out."""
Email = Annotated[Text, Field(min_length=1, max_length=254), AfterValidator(_email)]
SessionName = Annotated[Text, Field(min_length=1, max_length=255)]
SessionPath = Annotated[Text, Field(min_length=1, max_length=4000)]
StringSession = Annotated[Text, Field(min_length=1, max_length=1000)]
AbsentIfEmpty = BeforeValidator(lambda value: None if value == "" else value)
LONGEST_WAIT = 60.0  # seconds
Wait = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False, description="seconds; more than 60 count as 60"),
    AfterValidator(lambda seconds: min(seconds, LONGEST_WAIT)),
]
"""How long a call may wait for what it has begun."""


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def respond(answer: Answer, status: int = 200) -> Response:
    return Response(answer.model_dump_json(by_alias=True), status, content_type="application/json")


class Body(BaseModel):
    """The fields of a call; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, fields: Any) -> Any:
        """Take null for a field that is left out, as many libraries write it, unless it means more."""
        if not isinstance(fields, dict):
            return fields
        known = cls.model_fields
        optional = {name for name in known if not known[name].is_required()}
        plain = {name for name in optional if known[name].default is not None}
        return {
            name: given for name, given in fields.items() if given is not None or name not in plain
        }


class Numbered(BaseModel):
    """The number that a call is about; it is read before the caller is authorised."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    number: Digits
