"""What bodies and answers are made of: base classes, and field types with the reasons of a refusal."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from quart import Response

from supervisor.numbers.addresses import Proxy, is_public_host, objection, parse_proxy

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


def _fit_address(url: str, info: ValidationInfo) -> str:
    reason = objection(url, allow_private=bool((info.context or {}).get("allow_private_planfix")))
    if reason:
        raise ValueError(reason)
    return url


def _proxy(value: Any, info: ValidationInfo) -> Proxy:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic reports only this kind
    may_be_private = bool((info.context or {}).get("allow_private_proxy"))
    proxy = parse_proxy(value.strip(), may_be_private=may_be_private)
    if not may_be_private and not is_public_host(proxy.host):
        raise ValueError("must point to a public address")
    return proxy


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address")
    return text


def _as_name(value: Any) -> Any:
    """Accept a Telegram id as a number, too."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _absent_if_empty(value: Any) -> Any:
    return None if value == "" else value


Text = Annotated[
    str, BeforeValidator(_is_text), AfterValidator(_printable), AfterValidator(_filled)
]
Digits = Annotated[str, BeforeValidator(normalise_number), WithJsonSchema(_NUMBER_SCHEMA)]
ClientName = Annotated[Text, Field(min_length=1, max_length=200)]
PlanfixAddress = Annotated[
    Text,
    Field(min_length=1, max_length=2000, examples=["https://example.planfix.com/webchat/api"]),
    AfterValidator(_fit_address),
]
PlanfixToken = Annotated[Text, Field(min_length=1, max_length=1000)]
ProviderId = Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(_without_tilde)]
Email = Annotated[Text, Field(min_length=1, max_length=254), AfterValidator(_email)]
SessionName = Annotated[Text, Field(min_length=1, max_length=255)]
SessionPath = Annotated[Text, Field(min_length=1, max_length=4000)]
StringSession = Annotated[Text, Field(min_length=1, max_length=1000)]
ProxyAddress = Annotated[
    Proxy,
    BeforeValidator(_proxy),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 2000,
            "description": "the proxy through which the number connects to Telegram",
            "examples": ["socks5://user:password@proxy.example.com:1080"],
        }
    ),
]
ChatName = Annotated[Text, BeforeValidator(_as_name), Field(min_length=1, max_length=200)]
AbsentIfEmpty = BeforeValidator(_absent_if_empty)
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


class ErrorAnswer(Answer):
    """What went wrong."""

    error: str = Field(examples=["invalid_request"])
    detail: str | list[dict[str, str]]


def respond(answer: Answer, status: int = 200) -> Response:
    return Response(answer.model_dump_json(by_alias=True), status, content_type="application/json")


class Body(BaseModel):
    """The fields of a call; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Numbered(BaseModel):
    """The number that a call is about; it is read before the caller is authorised."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    number: Digits
