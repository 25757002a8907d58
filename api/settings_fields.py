"""What each setting may be, and in which words another value is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from api.security.client_address import parse_proxies
from supervisor.bots.bot_service import bot_of
from supervisor.database.engines import database_url
from supervisor.encryption.vault import parse_secret_key, rsa_public_key
from supervisor.errors import TokenMalformed
from supervisor.file_access import read_file_url

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES = ("en", "ru", "uk")
LONGEST_RETENTION = 36_500  # days
LARGEST_INT = 2**31 - 1  # as Telegram's protocol has it
_LOCALES = re.compile(r"[A-Za-z]{1,8}([_.@:][\w.@:-]*)+|C|POSIX")
_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_ADDRESS_WITH_QUERY = re.compile(r"https?://[^\s/?#]+[^\s#]*")
_DATA_CENTRE = re.compile(r"(?P<host>[^\s:/]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")
_UNSAFE_IN_KEY = re.compile(r"[^\x21-\x7e]")


def pick_language(value: Any) -> Any:
    """Accept `uk`, or choose the first supported language of a list such as `uk_UA:en`."""
    if value in LANGUAGES or not isinstance(value, str) or not _LOCALES.fullmatch(value):
        return value
    wanted = (re.split(r"[_.@]", part)[0] for part in value.split(":"))
    return next((language for language in wanted if language in LANGUAGES), "ru")


def _own_address(url: str) -> str:
    if url and not (_ADDRESS.fullmatch(url) and _has_place(url)):
        raise ValueError("must be a URL such as https://gateway.example.com")
    return url.rstrip("/")


def _alert_address(url: str) -> str:
    if url and not (_ADDRESS_WITH_QUERY.fullmatch(url) and _has_place(url)):
        raise ValueError("must be a URL such as https://alarms.example.com/telefix")
    return url


def _has_place(url: str) -> bool:
    """Whether the host and the port of an address can be read."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _header_key(shortest: int, meaning: str) -> Callable[[SecretStr], SecretStr]:
    """Return the check of a key that stands in headers and that strangers may try to guess."""

    def check(key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if _UNSAFE_IN_KEY.search(text):
            raise ValueError("must contain only visible ASCII characters and no spaces")
        if 0 < len(text) < shortest:
            raise ValueError(
                f"must have at least {shortest} characters, better 32: {meaning}, "
                'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        return key

    return check


def _secret_keys(keys: SecretStr) -> SecretStr:
    if keys.get_secret_value():
        parse_secret_key(keys.get_secret_value())
    return keys


def _known_database(url: SecretStr) -> SecretStr:
    database_url(url.get_secret_value())
    return url


def _bot_token(token: SecretStr) -> SecretStr:
    if token.get_secret_value():
        try:
            bot_of(token.get_secret_value())
        except TokenMalformed as exc:
            raise ValueError(str(exc)) from exc
    return token


def _trusted_proxies(proxies: str) -> str:
    parse_proxies(proxies)
    return proxies


def _host_and_port(address: str | None) -> str | None:
    found = address and _DATA_CENTRE.fullmatch(address)
    if address and not (found and 0 < int(found["port"]) < 65536):
        raise ValueError("must be host:port")
    return address


def _public_key_file(path: Path | None) -> Path | None:
    if path is None:
        return None
    if not path.is_file():
        raise ValueError("the file does not exist")
    try:
        rsa_public_key(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise ValueError("the file must hold an RSA public key as PEM") from exc
    return path


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Language = Annotated[Literal["en", "ru", "uk"], BeforeValidator(pick_language)]
OwnAddress = Annotated[str, AfterValidator(_own_address)]
AlertAddress = Annotated[str, AfterValidator(_alert_address)]
AdminKey = Annotated[SecretStr, AfterValidator(_header_key(8, "it opens everything"))]
ClusterKey = Annotated[
    SecretStr, AfterValidator(_header_key(8, "whoever guesses it learns of all numbers"))
]
SecretKeys = Annotated[SecretStr, AfterValidator(_secret_keys)]
DatabaseAddress = Annotated[SecretStr, AfterValidator(_known_database)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
TrustedProxies = Annotated[str, AfterValidator(_trusted_proxies)]
HostAndPort = Annotated[str | None, AfterValidator(_host_and_port)]
PublicKeyFile = Annotated[Path | None, AfterValidator(_public_key_file)]
FilesFolder = Annotated[Path | None, BeforeValidator(read_file_url)]
ApiId = Annotated[int, Field(ge=0, le=LARGEST_INT)]
Days = Annotated[int, Field(ge=1, le=LONGEST_RETENTION)]
