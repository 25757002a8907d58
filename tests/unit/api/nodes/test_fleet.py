"""What one node tells another about its numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from api.nodes.fleet import VIEWS
from supervisor.governor.budget import Settings, Usage, outlook
from supervisor.journal.values import ByDirection
from supervisor.store.values import ChatChoice, LastError
from tests.fakes.gateway import view


def test_view_survives_the_way() -> None:
    """Everything that is shown about a number crosses from one node to another unchanged."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    whole = view(
        "380500000001",
        "Acme",
        last_error=LastError("limited", "Telegram limits it", "wait"),
        last_heard=moment,
        backlog=ByDirection(1, 2),
        oldest_waiting=moment,
        proxy="socks5://proxy.example:1080",
        url_planfix="https://acme.planfix.com/webchat/api",
        provider_id="telegram",
        user_email="anna@example.com",
        chats=ChatChoice(history_since=moment.date()),
        budgets=outlook(Settings(), Usage(began=0.0), 1000.0),
    )

    assert VIEWS.validate_json(VIEWS.dump_json((whole,))) == (whole,)
