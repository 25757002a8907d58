"""What bodies and answers are made of: base classes, and field types with the reasons of a refusal."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from quart import Response

from session_worker.protocol.proxy import Proxy, parse_proxy

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_ONLY_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?i)(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".test")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def objection(url: str, *, allow_private: bool) -> str | None:
    """Return why this address is not accepted; what it resolves to is checked when it is called."""
    parts = _split(url)
    if parts is None:
        return "is not a valid URL"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user name or password"
    if allow_private:
        return None
    if parts.scheme != "https":
        return "must start with https://"
    return None if is_public_host(parts.hostname or "") else "must point to a public address"


def _split(url: str) -> SplitResult | None:
    if not _ONLY_VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def is_public_host(host: str) -> bool:
    """Tell whether a host looks public; a name is not resolved."""
    ip = _as_ip(host)
    if ip is not None:
        return _is_global(ip)
    name = host.lower().rstrip(".")
    return bool(_NAME.fullmatch(host)) and "." in name and not name.endswith(_PRIVATE_NAMES)


def _as_ip(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses too.
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _is_global(ip: Ip) -> bool:
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _is_global(inner)
    return ip.is_global and not ip.is_multicast


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
NewProviderId = Annotated[
    ProviderId, BeforeValidator(lambda value: "telegram" if value == "" else value)
]
"""Of a new number or bot; an empty field of a form is left out."""
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
