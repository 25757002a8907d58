"""What is wrong with a number, and why a message failed, in the languages of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from session_worker.failures import Reason, failure_entry
from supervisor.store.values import LastError
from supervisor.texts import en, ru, uk
from supervisor.texts.state import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

Texts = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Language:
    """All texts of a language, most of them pairs.

    For a failure on the way to Telegram: what the employee reads, and what the operator reads.
    For everything else: what happened, and who has to do what.
    """

    failures: Mapping[Reason, Texts]
    deliveries: Mapping[str, Texts]
    troubles: Mapping[str, Texts]
    parked: Texts
    held: Mapping[str, str]


_LANGUAGES: Mapping[str, _Language] = {
    "en": _Language(en.FAILURES, en.DELIVERIES, en.TROUBLES, en.PARKED, en.HELD),
    "ru": _Language(ru.FAILURES, ru.DELIVERIES, ru.TROUBLES, ru.PARKED, ru.HELD),
    "uk": _Language(uk.FAILURES, uk.DELIVERIES, uk.TROUBLES, uk.PARKED, uk.HELD),
}


def describe_trouble(
    code: str, language: str, detail: str = "", *, parked: bool = False
) -> LastError:
    """Describe a number's trouble; a parked number needs a person to start it again."""
    texts = _LANGUAGES[language]
    message, action = texts.troubles[code]
    if detail:
        message = f"{message} ({detail})"
    if parked:
        message, action = f"{message} {texts.parked[0]}", texts.parked[1]
    return LastError(code, message, action, detail)


def translate_error(error: LastError, language: str, *, parked: bool = False) -> LastError:
    """Describe a stored error in the language of the reader; an unknown one stays as it was stored."""
    if error.code not in _LANGUAGES[language].troubles:
        return error
    return describe_trouble(error.code, language, error.detail, parked=parked)


def describe_cause(code: str, language: str) -> LastError:
    """Describe a code of `last_error`, a state without one, or what is wrong with messages."""
    texts = _LANGUAGES[language]
    message, action = texts.troubles.get(code) or STATES[language].get(code) or (code, "")
    return LastError(code, message, action)


def employee_text(code: str, language: str) -> str:
    """Tell the employee in Planfix why the message did not arrive."""
    employee, _ = _LANGUAGES[language].failures[failure_entry(code).reason]
    return employee


def held_text(code: str, expected: float, language: str) -> str:
    """Tell the employee in Planfix why the message is not sent yet, and when it probably will be."""
    moment = datetime.fromtimestamp(expected, UTC).strftime("%Y-%m-%d %H:%M")
    return _LANGUAGES[language].held[code].format(moment=moment)


def operator_text(code: str, language: str) -> str:
    """Tell the operator why a message, in either direction, did not arrive and what to do."""
    texts = _LANGUAGES[language]
    delivery = texts.deliveries.get(code) or texts.troubles.get(code)
    if delivery is not None:
        return " ".join(delivery)
    _, operator = texts.failures[failure_entry(code).reason]
    return operator
