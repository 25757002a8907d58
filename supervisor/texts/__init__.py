"""Troubles of a number and failures of a message, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.failures import Reason, failure_entry
from supervisor.store.values import LastError
from supervisor.texts import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.texts.failure_text import FailureText


Words = tuple[str, str]

_TROUBLES: Mapping[str, tuple[Mapping[str, Words], Words]] = {
    "en": (en.TROUBLES, en.PARKED),
    "ru": (ru.TROUBLES, ru.PARKED),
    "uk": (uk.TROUBLES, uk.PARKED),
}


def describe_trouble(
    code: str, language: str, detail: str = "", *, parked: bool = False
) -> LastError:
    """Say it in a language we have; a worker that ended too often needs a person to go on."""
    words, of_parked = _TROUBLES[language]
    message, action = words[code]
    if detail:
        message = f"{message} ({detail})"
    if parked:
        message, action = f"{message} {of_parked[0]}", of_parked[1]
    return LastError(code, message, action)


_FAILURES: Mapping[str, Mapping[Reason, FailureText]] = {
    "en": en.FAILURES,
    "ru": ru.FAILURES,
    "uk": uk.FAILURES,
}


def employee_text(code: str, language: str) -> str:
    """Tell the employee in Planfix why the message did not arrive."""
    return _FAILURES[language][failure_entry(code).reason].employee


def operator_text(code: str, language: str) -> str:
    """Tell the operator what happened with whom to talk to about it."""
    return _FAILURES[language][failure_entry(code).reason].operator
