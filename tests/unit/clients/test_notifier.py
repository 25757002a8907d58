"""The notifier for other programs: it sends, or says that it did not, and never disturbs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from telefix_notifier import (
    format_event_created_message,
    format_ticket_purchased_message,
    send_telegram_message,
)

from tests.fakes.bot_api import FORBIDDEN, SENT, UNREADABLE, running_bot_api

if TYPE_CHECKING:
    from tests.fakes.bot_api import Answer

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("TELEGRAM_CHAT_ID", "42")
    return monkeypatch


def test_message_is_sent(bot: pytest.MonkeyPatch) -> None:
    """A message is one call of the Bot API, to the address that is set."""
    with running_bot_api(SENT) as api:
        bot.setenv("TELEGRAM_API_URL", f"{api.url}/")

        assert send_telegram_message("<b>hello</b>") is True

    assert api.calls == [
        (
            f"/bot{TOKEN}/sendMessage",
            {"chat_id": "42", "text": "<b>hello</b>", "parse_mode": "HTML"},
        )
    ]


def test_unreadable_text_is_sent_as_it_is(bot: pytest.MonkeyPatch) -> None:
    """A text that is no HTML is sent once more without formatting."""
    with running_bot_api(UNREADABLE, SENT) as api:
        bot.setenv("TELEGRAM_API_URL", api.url)

        assert send_telegram_message("a < b") is True

    assert api.calls[1][1] == {"chat_id": "42", "text": "a < b"}


@pytest.mark.parametrize(
    "answer",
    [
        FORBIDDEN,
        (200, b"nonsense"),
        (200, b"[]"),
        (200, b'{"ok": false}'),
        (302, b""),
        (500, b"<html>"),
        (404, b'{"ok": false, "description": "no such token: ' + TOKEN.encode() + b'"}'),
    ],
)
def test_refusal_is_logged(
    answer: Answer, bot: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is answered instead of a success, nothing is raised, and no log holds the token."""
    with running_bot_api(answer) as api:
        bot.setenv("TELEGRAM_API_URL", api.url)

        assert send_telegram_message("x") is False

    assert "not sent" in caplog.text
    assert TOKEN not in caplog.text
    assert all(path.startswith("/bot") for path, _ in api.calls)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "nonsense", "http://[", "file:///etc/passwd"]
)
def test_unreachable_is_logged(
    url: str, bot: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway that is down or misnamed is no error of the program that calls."""
    bot.setenv("TELEGRAM_API_URL", url)

    assert send_telegram_message("x") is False
    assert TOKEN not in caplog.text


def test_silence_ends(bot: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A server that never answers does not hold up the caller for ever."""
    with running_bot_api() as api:
        bot.setenv("TELEGRAM_API_URL", api.url)

        assert send_telegram_message("x") is False

    assert len(api.calls) == 1
    assert "not sent" in caplog.text


@pytest.mark.parametrize("missing", ["TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"])
def test_missing_setting_is_logged(
    missing: str, bot: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a token or a chat nothing is called, and the log says which settings are missing."""
    bot.delenv(missing)

    with caplog.at_level(logging.ERROR):
        assert send_telegram_message("x") is False

    assert missing in caplog.text


def test_values_cannot_break_the_formatting() -> None:
    """Whatever a title contains, it appears as it is."""
    event = format_event_created_message("A<B", "here & there", "2026-12-31", '"Olena"')
    ticket = format_ticket_purchased_message("A<B", 990, "<script>")

    assert "A&lt;B" in event
    assert "here &amp; there" in event
    assert "990" in ticket
    assert "<script>" not in ticket
