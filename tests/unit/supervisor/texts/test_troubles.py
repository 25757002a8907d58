"""The words for what went wrong."""

from __future__ import annotations

import pytest

from session_worker.protocol.contract import TroubleCode
from supervisor.processes.worker_exit import WorkerExit
from supervisor.texts import describe_trouble

LANGUAGES = ["en", "ru", "uk"]
QUIET = {WorkerExit.NEEDS_LOGIN, WorkerExit.LOGGED_IN, WorkerExit.REPLACED}
CODES = sorted({*TroubleCode, *WorkerExit} - QUIET)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_trouble_says_what_to_do(code: str, language: str) -> None:
    """Each code has a sentence for what happened, another for who must do what."""
    error = describe_trouble(code, language)

    assert error.code == code
    assert error.message.endswith(".")
    assert error.action.endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
def test_parked_number_needs_a_person(language: str) -> None:
    """Who is parked is told so, along with the reason; Telegram's own words stay readable."""
    crashed = describe_trouble(WorkerExit.CRASHED, language)
    parked = describe_trouble(WorkerExit.CRASHED, language, "detail", parked=True)

    assert parked.message.startswith(f"{crashed.message} (detail)")
    assert parked.action != crashed.action
