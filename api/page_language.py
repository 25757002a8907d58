"""The language in which a page speaks to its visitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import request

from api.context import context

if TYPE_CHECKING:
    from collections.abc import Iterable


def page_language(known: Iterable[str]) -> str:
    """Choose the browser's language, where we have it, else the gateway's."""
    default = context().settings.language
    return request.accept_languages.best_match(list(known), default) or default
