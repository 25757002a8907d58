"""Who is told of an event, and who is not because it was themselves; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamflame.accounts.own_actions import OwnActions
    from teamflame.store.accounts import Account
    from teamflame.store.choices import Subscription
    from teamflame.watching.snapshot import Event


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who is told of what happens on a board."""

    subscription: Subscription
    account: Account


def recipients_of(
    event: Event, watchers: Sequence[Watcher], own: OwnActions, now: float
) -> list[Watcher]:
    """Choose who wants to know, is meant, and did not do it."""
    return [
        watcher
        for watcher in watchers
        if event.kind in watcher.subscription.kinds
        and (event.people is None or watcher.account.id in event.people)
        and not _is_own(event, watcher.account, own, now)
    ]


def _is_own(event: Event, account: Account, own: OwnActions, now: float) -> bool:
    if event.actor == account.id or event.author == account.name:
        return True
    return own.explain(account.id, event.task.id, event.kind, now)
