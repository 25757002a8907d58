"""The app that sells tickets works with Telegram, and just as well without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.bot_api import FORBIDDEN, SENT, running_bot_api
from tests.support.waiting import PATIENCE

TOP = Path(__file__).parents[3]
TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"
NOT_TOLD = "The notification was not sent; see the log."


def run(program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the example as a user would."""
    environment = {**os.environ, "PYTHONPATH": str(TOP / "clients" / "python"), **settings}
    return subprocess.run(
        [sys.executable, str(TOP / "examples" / "events" / program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_story_is_told() -> None:
    """All five steps succeed, and Telegram is told of the event and of the ticket."""
    with running_bot_api(SENT) as api:
        done = run(
            "test_telegram_integration.py",
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_CHAT_ID="42",
            TELEGRAM_API_URL=api.url,
        )

    assert done.returncode == 0, done.stderr
    assert [line[:2] for line in done.stdout.splitlines()] == ["1.", "2.", "3.", "4.", "5."]
    texts = [fields["text"] for _, fields in api.calls]
    assert len(texts) == 2
    assert all("Rock &amp; &lt;Roll&gt;" in text for text in texts)


@pytest.mark.parametrize("trouble", ["gateway is down", "token is missing", "Telegram refuses"])
def test_sale_succeeds_without_telegram(trouble: str, tmp_path: Path) -> None:
    """Whatever is wrong with the notifications, the ticket is sold; the user and the log are told."""
    with running_bot_api(FORBIDDEN) as api:
        settings = {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'events.db'}",
            "TELEGRAM_BOT_TOKEN": "" if trouble == "token is missing" else TOKEN,
            "TELEGRAM_CHAT_ID": "42",
            "TELEGRAM_API_URL": "http://127.0.0.1:9" if trouble == "gateway is down" else api.url,
        }
        answers = [
            run("box_office.py", *command, **settings)
            for command in (
                ("organizer", "Olena"),
                ("event", "1", "Concert", "Kyiv", "2026-12-31", "990", "1"),
                ("buyer", "Taras"),
                ("ticket", "1", "1"),
            )
        ]
        sold_out = run("box_office.py", "ticket", "1", "1", **settings)

    assert [answer.returncode for answer in answers] == [0, 0, 0, 0]
    assert answers[3].stdout.strip() == f"Ticket 1. {NOT_TOLD}"
    assert "ERROR telefix_notifier" in answers[3].stderr
    assert TOKEN not in answers[3].stderr
    assert (sold_out.returncode, sold_out.stdout.strip()) == (1, "Sold out.")
