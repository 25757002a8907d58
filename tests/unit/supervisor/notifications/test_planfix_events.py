"""Events of Planfix that wait for a look-up are completed one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from supervisor.config import Config
from supervisor.database.notification_tables import notification
from supervisor.messages.message_service import Dispatchers
from supervisor.notifications.notification_service import NotificationService, Sender
from supervisor.notifications.planfix_accounts import PlanfixAccounts
from supervisor.notifications.planfix_event import read_event
from supervisor.notifications.planfix_events import PlanfixEvents
from tests.unit.supervisor.rows import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from supervisor.store.store import Store


class ReadableAccounts(PlanfixAccounts):
    """Accounts that have a key for the REST API."""

    async def can_read(self, number: str) -> bool:
        return True


async def _sender_of(number: str) -> Sender:
    return Sender(number, is_bot=True, language="en")


def _damage(connection: Connection) -> None:
    connection.execute(update(notification).values(body=b"damaged"))


async def test_damaged_event_holds_up_nothing(store: Store, tmp_path: Path) -> None:
    """An event that cannot be read any more is given up, once; the next one is not behind it for ever."""
    config = Config(tmp_path, tmp_path, 1, "hash")
    notifications = NotificationService(store, Dispatchers(store, config), store.people, _sender_of)
    events = PlanfixEvents(store, notifications, ReadableAccounts(store, config))
    finish = notifications.lookup.chore
    assert finish is not None
    await events.accept(NUMBER, read_event({"event": "task.created", "task": "5"}))
    await store.database.write(_damage)

    assert await finish(NUMBER)
    assert not await finish(NUMBER)
