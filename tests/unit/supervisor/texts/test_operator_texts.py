"""What the operator reads about a message that failed."""

from __future__ import annotations

import re

import pytest

from session_worker.protocol.messages import FailureCode
from supervisor.texts import operator_text


@pytest.mark.parametrize("code", FailureCode)
def test_failed_delivery_says_what_to_do(code: str) -> None:
    """Each failure on the way to Planfix has its sentences, in each language."""
    english = operator_text(code, "en")

    assert english.endswith(".")
    assert "Telegram refused" not in english
    for language in ("ru", "uk"):
        text = operator_text(code, language)
        assert re.search("[\u0430-\u044f]{4}", text)
        assert text.endswith(".")


def test_failed_sending_says_what_to_do() -> None:
    """A code of Telegram's becomes a sentence, as does one that is in no table."""
    blocked = operator_text("USER_IS_BLOCKED", "en")

    assert blocked == "The contact has blocked the number. Nothing to do."
    assert operator_text("NEVER_HEARD_OF", "en").endswith("Operator: report the code.")
