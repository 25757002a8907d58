"""The words for what went wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from session_worker.protocol.contract import TroubleCode
from supervisor.processes.worker_exit import WorkerExit
from supervisor.texts import describe_trouble, en, ru, uk
from supervisor.texts.bot_texts import about_bot, for_bot

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


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
@pytest.mark.parametrize("code", TroubleCode)
def test_trouble_of_a_bot_fits_a_bot(code: TroubleCode, language: str) -> None:
    """A bot's trouble never speaks of a number, nor of calls that are none of a bot's."""
    told = about_bot(describe_trouble(code, language, parked=code == "boot_failed"), language)

    for text in (told.message, told.action):
        assert not re.search("number|номер|PUT /webhook", text, re.IGNORECASE)
    assert told.action


@pytest.mark.parametrize("language", [en, ru, uk])
def test_failure_of_a_bots_message_fits_a_bot(language: Any) -> None:
    """What is read about a message of a bot's never speaks of a number."""
    told = [text for pair in language.FAILURES.values() for text in pair]
    told += [text for pair in language.DELIVERIES.values() for text in pair]

    assert any(re.search("number|номер", text) for text in told)
    for text in map(for_bot, told):
        assert not re.search("number|номер|PUT /webhook", text, re.IGNORECASE)


def test_lost_login_of_a_bot_is_mended_by_a_restart() -> None:
    """Nobody can enter a code for a bot, so the action names the restart and the new token."""
    told = about_bot(describe_trouble("session_revoked", "en"), "en")

    assert told.action.startswith("Operator: restart the bot")
