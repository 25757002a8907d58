"""Secrets are taken out of every line before it reaches a log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[hidden]"
SHORTEST_SECRET = 6  # characters; a shorter one would blot out ordinary words
_NAMED = re.compile(
    r"""(?ix)
    (?P<name> \b (?: authorization | (?:[\w-]*_)? (?: token | secret | password | api_hash
        | auth_key | admin_key | secret_key | string_session ) (?:_\w+)? ) ["']? \s* [=:] \s* )
    (?P<value> (?: bearer \s+ )? (?: "[^"]*" | '[^']*' | [^\s,;&"'}\])]+ ) )
    """
)
_BEARER = re.compile(r"(?i)(?P<name>\bbearer\s+)(?P<value>[\w.~+/=-]+)")
_LINK = re.compile(r"(?P<name>/(?:login|files)/)(?P<value>[\w.-]{16,})")
_IN_ADDRESS = re.compile(r"(?P<name>\w+://[^\s/:@]*:)(?P<value>[^\s/@]+)(?=@)")
_OF_MTPROXY = re.compile(r"(?i)(?P<name>\bmtproxy://)(?P<value>[^\s/@]+)(?=@)")


class Redactor:
    """Hides the secrets it was told of, as well as whatever is labelled as one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._known = sorted(known, key=len, reverse=True)

    def clean(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern in (_NAMED, _BEARER, _IN_ADDRESS, _OF_MTPROXY, _LINK):
            text = pattern.sub(rf"\g<name>{HIDDEN}", text)
        return text
